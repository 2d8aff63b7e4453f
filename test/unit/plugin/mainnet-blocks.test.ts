// How block files are found, read and refused, and where the benchmark's blocks come from.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gunzipSync, gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { loadKzg } from '../../../plugin/bench/kzg.ts'
import { planRows } from '../../../plugin/bench/plan.ts'
import {
  createMainnetCase,
  hasBlobTransactions,
  listBlockFiles,
  type MainnetFile,
  mergeBlockFiles,
  readMainnetFile,
} from '../../../plugin/bench/workloads/mainnet.ts'
import { optionsWith } from './support/options.ts'

const fixtures = fileURLToPath(new URL('../../fixtures/mainnet/', import.meta.url))
/** The smallest one, whatever the fixtures are. */
const [sample] = readdirSync(fixtures)
  .filter((name) => name.endsWith('.json.gz'))
  .sort((one, other) => sizeOf(one) - sizeOf(other))

function sizeOf(name: string): number {
  return readFileSync(join(fixtures, name)).length
}

function readSample(): MainnetFile {
  return JSON.parse(gunzipSync(readFileSync(join(fixtures, sample!))).toString('utf8'))
}

describe('block files', () => {
  let folder: string
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'bench-blocks-'))
  })
  afterAll(() => rmSync(folder, { recursive: true }))

  const write = (name: string, content: unknown): string => {
    const path = join(folder, name)
    writeFileSync(path, gzipSync(JSON.stringify(content)))
    return path
  }

  it('are the files named N.json.gz, by number', () => {
    const many = join(folder, 'many')
    mkdirSync(many)
    for (const name of ['10.json.gz', '9.json.gz', 'README.md', 'x.json.gz', '3.json']) {
      writeFileSync(join(many, name), '')
    }
    expect(listBlockFiles(many)).toEqual([join(many, '9.json.gz'), join(many, '10.json.gz')])
    expect(listBlockFiles(join(folder, 'missing'))).toEqual([])
  })

  it('are merged by number, the first list going first', () => {
    expect(
      mergeBlockFiles(['/a/3.json.gz', '/a/1.json.gz'], ['/b/2.json.gz', '/b/3.json.gz']),
    ).toEqual(['/a/1.json.gz', '/b/2.json.gz', '/a/3.json.gz'])
  })

  it('come from the repository and from --blocks', () => {
    const more = join(folder, 'more')
    mkdirSync(more)
    writeFileSync(join(more, '7.json.gz'), '')
    const options = optionsWith({ workloads: ['mainnet'], blocksFolder: more })
    const names = planRows(options, fixtures).rows.map(({ name }) => name)
    expect(names[0]).toBe('mainnet 7')
    expect(names).toHaveLength(listBlockFiles(fixtures).length + 1)
  })

  it('may be absent unless mainnet was asked for by name', () => {
    const options = optionsWith({ workloads: ['mainnet', 'mint'] })
    const empty = join(folder, 'empty')
    mkdirSync(empty)
    const plan = planRows(options, empty)
    expect(plan.rows.map(({ name }) => name)).toEqual(['mint'])
    expect(plan.notes).toEqual([expect.stringContaining('mainnet is left out')])
    expect(() => planRows({ ...options, isMainnetNamed: true }, empty)).toThrow('use --blocks DIR')
    expect(() => planRows({ ...options, blocksFolder: empty }, fixtures)).toThrow(
      'has no files named N.json.gz',
    )
  })

  it('are refused by name when they are no block files', async () => {
    const broken = join(folder, '1.json.gz')
    writeFileSync(broken, 'not gzip')
    await expect(readMainnetFile(broken)).rejects.toThrow(`${broken} is not a gzipped JSON file`)
    const partial = write('2.json.gz', { block: {} })
    await expect(readMainnetFile(partial)).rejects.toThrow('block, preState and blockHashes')
  })

  it('give a block that stock reproduces, receipts included', async () => {
    const file = await readMainnetFile(join(fixtures, sample!))
    const benchCase = await createMainnetCase(sample!, file, await loadKzg())
    expect(benchCase.gasUsed).toBe(BigInt(file.block.gasUsed))
    expect(benchCase.transactions).toBe(file.block.transactions.length)
  })

  it('are refused when the block does not have its hash', async () => {
    const file = readSample()
    const damaged = { ...file, block: { ...file.block, gasUsed: '0x1' as const } }
    await expect(createMainnetCase('3.json.gz', damaged, await loadKzg())).rejects.toThrow(
      '3.json.gz is damaged',
    )
  })

  it('are refused when stock does not get the gas of the header from their state', async () => {
    const file = readSample()
    const preState = Object.fromEntries(
      Object.entries(file.preState).map(([address, { code: _, ...rest }]) => [address, rest]),
    )
    await expect(
      createMainnetCase('4.json.gz', { ...file, preState }, await loadKzg()),
    ).rejects.toThrow(/4\.json\.gz cannot be used/)
  })

  it('tell whether they hold blob transactions', () => {
    const file = readSample()
    const [transaction] = file.block.transactions
    const withType = (type: string): MainnetFile =>
      ({
        ...file,
        block: { ...file.block, transactions: [{ ...(transaction as object), type }] },
      }) as MainnetFile
    expect(hasBlobTransactions(withType('0x3'))).toBe(true)
    expect(hasBlobTransactions(withType('0x2'))).toBe(false)
  })
})

describe('the KZG backend', () => {
  it('verifies an opening of the mainnet ceremony and refuses a wrong one', async () => {
    const kzg = await loadKzg()
    const commitment =
      '0x8f59a8d2a1a625a17f3fea0fe5eb8c896db3764f3185481bc22f91b4aaffcca25f26936857bc3a7c2539ea8ec3a952b7'
    const proof =
      '0x873033e038326e87ed3e1276fd140253fa08e9fc25fb2d9a98527fc22a2c9612fbeafdad446cbc7bcdbdcd780af2c16a'
    const point = '0x564c0a11a0f704f4fc3e8acfe0f8245f0ad1347b378fbf96e206da11a5d36306'
    const value = '0x24d25032e67a7e6a4910df5834b8fe70e6bcfeeac0352434196bdf4b2485d5a1'
    expect(kzg!.verifyProof(commitment, point, value, proof)).toBe(true)
    expect(kzg!.verifyProof(commitment, value, value, proof)).toBe(false)
  })
})
