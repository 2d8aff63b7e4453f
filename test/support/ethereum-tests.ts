// Finds the files of the official blockchain tests: a directory of JSON files, a .tar.gz of them, or
// a .json.gz that maps their names to their contents.
// Authority on where cases are and what they are called; it must not run or skip any by itself.
import { existsSync, globSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'

import type { BlockchainCase } from './blockchain-case.ts'
import { readTarGz } from './tar.ts'

export interface TestFile {
  readonly name: string
  readonly cases: readonly (readonly [name: string, test: BlockchainCase])[]
}

const archiveName = 'blockchain-tests.tar.gz'
const sampleName = 'sample.json.gz'

export function* readTestFiles(path: string): Generator<TestFile> {
  if (!existsSync(path)) throw new Error(`no such file or directory: ${path}`)
  const archive = path.endsWith('.tar.gz') ? path : join(path, archiveName)
  if (existsSync(archive) && statSync(archive).isFile()) {
    for (const { name, bytes } of readTarGz(archive)) {
      if (name.endsWith('.json')) yield parse(name, Buffer.from(bytes).toString('utf8'))
    }
    return
  }
  const sample = path.endsWith('.json.gz') ? path : join(path, sampleName)
  if (existsSync(sample)) {
    const files = JSON.parse(gunzipSync(readFileSync(sample)).toString('utf8'))
    for (const [name, cases] of Object.entries(files as Record<string, TestFileJson>)) {
      yield { name, cases: Object.entries(cases) }
    }
    return
  }
  for (const name of globSync('**/*.json', { cwd: path }).sort()) {
    yield parse(name, readFileSync(join(path, name), 'utf8'))
  }
}

type TestFileJson = Record<string, BlockchainCase>

function parse(name: string, text: string): TestFile {
  return { name, cases: Object.entries(JSON.parse(text) as TestFileJson) }
}
