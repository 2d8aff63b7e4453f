// Runs a TypeScript file in a Node process of its own, with `parallel-evm` meaning the sources.
// The authority on how documentation code is started. Must not judge what it prints.
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const fromSources = new URL('./from-sources.ts', import.meta.url).href
const repository = fileURLToPath(new URL('../../', import.meta.url))

export interface Finished {
  /** `null` where a signal ended it. */
  readonly exitCode: number | null
  /** Both streams, as they came. */
  readonly output: string
}

/** Runs `file` after the modules of `preloads`. */
export function runOnSources(file: string, preloads: readonly string[] = []): Promise<Finished> {
  const imports = [fromSources, ...preloads].flatMap((module) => ['--import', module])
  return run([...imports, file])
}

/** Runs Node with `args` in the repository's folder. */
export function run(args: readonly string[]): Promise<Finished> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, {
      cwd: repository,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let output = ''
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
    child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()))
    child.on('error', reject)
    child.on('close', (exitCode) => resolve({ exitCode, output }))
  })
}
