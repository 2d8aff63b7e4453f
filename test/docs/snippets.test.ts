// Type-checks every ```ts block of README.md and docs/, and runs those marked ```ts run.
// The authority on documentation saying what is true of the code, as far as a machine can tell.
// Must not leave files behind: snippets are written to a folder that is ignored and removed.
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { resolveOptions, SCHEDULERS } from '../../src/index.ts'
import { run, runOnSources } from './run-on-sources.ts'

const repository = fileURLToPath(new URL('../../', import.meta.url))
const snippetGlobals = new URL('./snippet-globals.ts', import.meta.url).href
const documents = [
  'README.md',
  ...readdirSync(join(repository, 'docs')).map((name) => `docs/${name}`),
].filter((name) => name.endsWith('.md'))

interface Snippet {
  /** Document and line. */
  readonly place: string
  readonly code: string
  readonly isRun: boolean
  /** File name without its ending. */
  readonly name: string
}

const snippets = documents.flatMap(readSnippets)

function readSnippets(document: string): Snippet[] {
  const text = readFileSync(join(repository, document), 'utf8')
  return [...text.matchAll(/^```ts(?: (\w+))?\n(.*?)^```$/gms)].map((match) => {
    const line = text.slice(0, match.index).split('\n').length
    return {
      place: `${document}:${line}`,
      code: match[2]!,
      isRun: match[1] === 'run',
      name: `${document.replaceAll(/\W/g, '-').toLowerCase()}-${line}`,
    }
  })
}

describe('code in the documents', () => {
  let folder: string

  beforeAll(() => {
    const ignored = join(repository, 'cache')
    mkdirSync(ignored, { recursive: true })
    folder = mkdtempSync(join(ignored, 'snippets-'))
    const write = (name: string, content: string): void =>
      writeFileSync(join(folder, name), content)
    for (const { name, code } of snippets) write(`${name}.ts`, `${code}\nexport {}\n`)
    // What a reader has already: see snippet-globals.ts, and the modules that snippets stand for.
    write(
      'globals.d.ts',
      "declare const vm: import('@ethereumjs/vm').VM\ndeclare const block: import('@ethereumjs/block').Block\n",
    )
    write(
      'trusted-setup.ts',
      'export const trustedSetup = { g1_lagrange: [] as string[], g2_monomial: [] as string[] }\n',
    )
    const config = { extends: '../../tsconfig.json', include: ['.'], exclude: [] }
    write('tsconfig.json', JSON.stringify(config))
  })
  afterAll(() => {
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true })
  })

  it('is found', () => {
    expect(snippets.filter(({ isRun }) => isRun).length).toBeGreaterThanOrEqual(3)
  })

  it('has the types that it assumes', async () => {
    const compiler = join(repository, 'node_modules', 'typescript', 'bin', 'tsc')
    const { exitCode, output } = await run([compiler, '-p', folder])
    expect(exitCode, output).toBe(0)
  })

  const runnable = snippets.filter(({ isRun }) => isRun)
  it.each(runnable.map((snippet) => [snippet.place, snippet] as const))(
    '%s runs',
    async (_, { name }) => {
      const { exitCode, output } = await runOnSources(join(folder, `${name}.ts`), [snippetGlobals])
      expect(exitCode, output).toBe(0)
      expect(output).not.toBe('')
    },
  )
})

describe('the documents', () => {
  const readme = readFileSync(join(repository, 'README.md'), 'utf8')

  it('link only to files and headings that exist', () => {
    const broken = documents.flatMap((document) => {
      const text = readFileSync(join(repository, document), 'utf8')
      return [...text.matchAll(/\]\(([^)\s]+)\)/g)]
        .map((match) => match[1]!)
        .filter((target) => !/^https?:/.test(target) && !exists(document, target))
        .map((target) => `${document}: ${target}`)
    })
    expect(broken).toEqual([])
  })

  it('README.md names every option and every scheduler', () => {
    for (const option of Object.keys(resolveOptions()))
      expect(readme).toContain(`| \`${option}\` |`)
    for (const scheduler of SCHEDULERS) expect(readme).toContain(`\`'${scheduler}'\``)
  })

  it('README.md names every reason for which a block runs sequentially', () => {
    const source = readFileSync(join(repository, 'src/block/eligibility.ts'), 'utf8')
    const reasons = [...source.matchAll(/(?:return|return needsSetup\() ?'([^']+)'/g)].map(
      (match) => match[1]!,
    )
    expect(reasons.length).toBeGreaterThan(10)
    expect(reasons.filter((reason) => !readme.includes(reason))).toEqual([])
  })

  it('README.md names every error code', () => {
    const source = readFileSync(join(repository, 'src/errors.ts'), 'utf8')
    const codes = [...source.matchAll(/^ {2}\| '([A-Z_]+)'/gm)].map((match) => match[1]!)
    expect(codes.length).toBeGreaterThan(5)
    expect(codes.filter((code) => !readme.includes(`\`${code}\``))).toEqual([])
  })

  it('README.md names every workload of the benchmark', async () => {
    const { WORKLOAD_NAMES } = await import('../../plugin/bench/workloads/names.ts')
    for (const workload of WORKLOAD_NAMES) expect(readme).toContain(`\`${workload}\``)
  })
})

function exists(document: string, target: string): boolean {
  const [path, heading] = target.split('#') as [string, string?]
  const file = path === '' ? document : join(document, '..', path)
  if (!existsSync(join(repository, file))) return false
  if (heading === undefined) return true
  const text = readFileSync(join(repository, file), 'utf8')
  return [...text.matchAll(/^#+ (.+)$/gm)].some((match) => anchorOf(match[1]!) === heading)
}

/** As GitHub makes them. */
function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^\w\- ]/g, '')
    .replaceAll(' ', '-')
}
