// Packs the package, installs it into an empty project and uses it there, as a stranger would.
// The authority on whether the published files are complete: entry points, worker entry, types, plugin.
// Must not let the empty project see this repository, save for Hardhat, the compiler and Node's types.
import { strict as assert } from 'node:assert'
import { spawnSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { readAllImports } from '../test/support/imports.ts'

const repository = fileURLToPath(new URL('../', import.meta.url))
const modules = join(repository, 'node_modules')
const examples = join(repository, 'test', 'projects')
// The Node of this repository first: the system's may be too old for the package.
const path = [join(modules, '.bin'), process.env.PATH].join(delimiter)
const commandTimeout = 20 * 60_000

const temporary = mkdtempSync(join(tmpdir(), 'parallel-evm-pack-'))
try {
  const project = createEmptyProject()

  step('build and pack')
  run(repository, 'npm', 'run', 'build')
  run(repository, 'npm', 'pack', '--ignore-scripts', '--pack-destination', temporary)
  const tarball = readdirSync(temporary).find((name) => name.endsWith('.tgz'))
  assert(tarball !== undefined, 'npm pack wrote no tarball')

  step('look for imports that lead nowhere')
  // The compiler rewrites `.ts` specifiers, except inside `export default` expressions.
  assert.deepEqual(brokenImports(join(repository, 'dist')), [])

  step('install into an empty project')
  const flags = ['--prefer-offline', '--no-audit', '--no-fund']
  run(project, 'npm', 'install', ...flags, join(temporary, tarball))

  step('run a block in parallel and with stock')
  run(project, 'node', 'run-block.ts')

  step('run transactions without an EVM, on threads')
  run(project, 'node', 'engine.ts')

  step('type-check the code that did')
  const compiler = join(modules, 'typescript', 'bin', 'tsc')
  run(project, 'node', compiler, '-p', 'tsconfig.json')

  step('load the Hardhat plugin')
  // Hardhat is a peer: the user has it. A link stands for that, since installing it takes long.
  symlinkSync(join(modules, 'hardhat'), join(project, 'node_modules', 'hardhat'), 'junction')
  run(project, 'node', '--input-type=module', '--eval', "await import('parallel-evm/hardhat')")
  const help = run(project, 'node', join(modules, 'hardhat', 'dist', 'src', 'cli.js'), '--help')
  assert.match(help, /parallel-bench/, 'the plugin adds no parallel-bench task')
  run(project, 'node', compiler, '-p', 'tsconfig.hardhat.json')

  for (const name of readdirSync(examples)) {
    step(`run the tests of the example project ${name}`)
    runExample(project, name)
  }

  console.log('the packed package works')
} finally {
  rmSync(temporary, { recursive: true, force: true })
}

function createEmptyProject(): string {
  const project = join(temporary, 'project')
  cpSync(join(repository, 'scripts', 'pack-consumer'), project, { recursive: true })
  const compilerOptions = {
    target: 'es2024',
    module: 'nodenext',
    moduleResolution: 'nodenext',
    strict: true,
    noEmit: true,
    typeRoots: [join(modules, '@types')],
    types: ['node'],
  }
  const write = (name: string, content: unknown): void =>
    writeFileSync(join(project, name), JSON.stringify(content, null, 2))
  write('package.json', { name: 'pack-consumer', private: true, type: 'module' })
  write('tsconfig.json', {
    compilerOptions,
    files: ['run-block.ts', 'engine.ts', 'engine-counter.ts', 'debug.d.ts'],
  })
  write('tsconfig.hardhat.json', { compilerOptions, files: ['hardhat.config.ts', 'debug.d.ts'] })
  return project
}

/** Its tests on the packed package's network, and then its types, which compiling its contracts completes. */
function runExample(project: string, name: string): void {
  // Inside of the project, where what it imports is found; a user would install it instead.
  const folder = join(project, 'examples', name)
  cpSync(join(examples, name), folder, { recursive: true })
  for (const used of ['@nomicfoundation', '@types', 'chai', 'ethers', 'solc', 'viem']) {
    const link = join(project, 'node_modules', used)
    if (!existsSync(link)) symlinkSync(join(modules, used), link, 'junction')
  }
  const cli = join(project, 'node_modules', 'hardhat', 'dist', 'src', 'cli.js')
  const output = run(folder, 'node', cli, 'test', '--network', 'parallel')
  assert.match(output, /[1-9]\d* passing/, `no test ran:\n${output}`)
  run(folder, 'node', join(modules, 'typescript', 'bin', 'tsc'), '-p', 'tsconfig.json')
}

function brokenImports(folder: string): string[] {
  const files = new Map(
    readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.js'))
      .map((name) => [name.replaceAll('\\', '/'), readFileSync(join(folder, name), 'utf8')]),
  )
  return readAllImports(files)
    .filter(({ specifier, to }) => specifier.startsWith('.') && to === undefined)
    .map(({ from, line, specifier }) => `dist/${from}:${line} imports '${specifier}'`)
}

function step(title: string): void {
  console.log(`- ${title}`)
}

/** Runs to the end and returns what was printed; fails loudly with all of it. */
function run(folder: string, command: string, ...args: string[]): string {
  const { status, signal, error, stdout, stderr } = spawnSync(command, args, {
    cwd: folder,
    env: { ...process.env, PATH: path },
    encoding: 'utf8',
    timeout: commandTimeout,
    maxBuffer: 64 * 1024 * 1024,
  })
  if (status !== 0) {
    const ending = error?.message ?? (signal === null ? `exit code ${status}` : signal)
    throw new Error(`${command} ${args.join(' ')}: ${ending}\n${stdout}${stderr}`)
  }
  return stdout
}
