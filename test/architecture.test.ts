// Holds the shape of src/ and plugin/: import directions, cycles, headers, names and sizes.
// The authority on when a file is misplaced or too large; the layer table itself is in support/layers.ts.
// Must not load any of the modules it checks.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import {
  findImportCycles,
  findLoadedPackages,
  holdsOnlyConstantsAndTypes,
  readAllImports,
  readImports,
} from './support/imports.ts'
import { findLayerViolations } from './support/layers.ts'

const repository = new URL('../', import.meta.url)
const files = new Map([...sourcesIn('src'), ...sourcesIn('plugin')])
const longestFile = 400

describe('the sources', () => {
  it('are found in src/ and in plugin/', () => {
    expect(files.has('src/index.ts')).toBe(true)
    expect(files.has('plugin/index.ts')).toBe(true)
  })

  it('import downwards only, and the plugin reaches src/ only through its public index', () => {
    expect(findLayerViolations(files)).toEqual([])
  })

  it('import each other without cycles', () => {
    expect(findImportCycles(readAllImports(files))).toEqual([])
  })

  it('load no package that the manifest does not promise to its users', () => {
    const manifest: Record<
      'dependencies' | 'peerDependencies',
      Record<string, string>
    > = JSON.parse(readFileSync(new URL('package.json', repository), 'utf8'))
    const undeclaredIn = (folder: string, declared: object): string[] => {
      const imports = readAllImports(files).filter(({ from }) => from.startsWith(folder))
      return [...findLoadedPackages(imports)].filter((name) => !(name in declared))
    }
    const { dependencies, peerDependencies } = manifest
    expect(undeclaredIn('src/', dependencies)).toEqual([])
    expect(undeclaredIn('plugin/', { ...dependencies, ...peerDependencies })).toEqual([])
  })

  it('open with a comment that says what the file is', () => {
    const bare = [...files].filter(([, source]) => !/^(#!.*\n)?(\/\/|\/\*)/.test(source))
    expect(bare.map(([path]) => path)).toEqual([])
  })

  it('have kebab-case names, folders included', () => {
    const segment = '[a-z0-9]+(-[a-z0-9]+)*'
    const named = new RegExp(`^(${segment}/)+${segment}(\\.d)?\\.ts$`)
    expect([...files.keys()].filter((path) => !named.test(path))).toEqual([])
  })

  it(`have at most ${longestFile} lines each`, () => {
    const long = [...files]
      .map(([path, source]) => ({ path, lines: source.trimEnd().split('\n').length }))
      .filter(({ lines }) => lines > longestFile)
    expect(long).toEqual([])
  })
})

describe('the check of layers', () => {
  const violationsOf = (sources: Record<string, string>): string[] =>
    findLayerViolations(new Map(Object.entries(sources)))
  const withTarget = (from: string, source: string, to: string): string[] =>
    violationsOf({ [from]: source, [to]: 'export const a = 1' })

  it('accepts imports within a folder and to lower layers', () => {
    expect(
      violationsOf({
        'src/ids.ts': '',
        'src/errors.ts': '',
        'src/options.ts': "import { a } from './errors.ts'\nimport type { B } from './ids.ts'",
        'src/mvcc/store.ts': "import { a } from './gc.ts'\nimport { b } from '../memory/arena.ts'",
        'src/mvcc/gc.ts': "import { a } from '../ids.ts'",
        'src/memory/arena.ts': "import { strict } from 'node:assert'",
      }),
    ).toEqual([])
  })

  it('finds an upward import in every spelling', () => {
    const spellings = [
      "import { a } from '../block/run.ts'",
      "import type { A } from '../block/run.ts'",
      "import { type A } from '../block/run.ts'",
      "import * as run from '../block/run.ts'",
      "import '../block/run.ts'",
      "export { a } from '../block/run.ts'",
      "export type * from '../block/run.ts'",
      "const run = async () => (await import('../block/run.ts')).a",
      'const run = () => import(`../block/run.ts`)',
      "let a: import('../block/run.ts').A",
    ]
    for (const spelling of spellings) {
      const found = withTarget('src/mvcc/store.ts', `// header\n${spelling}\n`, 'src/block/run.ts')
      expect(found, spelling).toEqual([
        "src/mvcc/store.ts:2 imports '../block/run.ts': mvcc reaches upwards to block",
      ])
    }
  })

  it('is not misled by comments and strings', () => {
    const source = `// import { a } from '../block/run.ts'\nconst text = "import('../block/run.ts')"`
    expect(withTarget('src/mvcc/store.ts', source, 'src/block/run.ts')).toEqual([])
  })

  it('finds a sideways import', () => {
    expect(
      withTarget(
        'src/scheduling/scheduler.ts',
        "import { a } from '../execution/runner.ts'",
        'src/execution/runner.ts',
      ),
    ).toEqual([expect.stringContaining('sideways')])
  })

  it('finds a file outside every layer and an import of a file that is not there', () => {
    expect(violationsOf({ 'src/utils/bytes.ts': '' })).toEqual([
      expect.stringContaining('in no layer'),
    ])
    expect(violationsOf({ 'src/ids.ts': "import './gone.ts'" })).toEqual([
      expect.stringContaining('no such file'),
    ])
  })

  it('keeps Hardhat and the plugin out of src/', () => {
    expect(violationsOf({ 'src/ids.ts': "import type { A } from 'hardhat/types/config'" })).toEqual(
      [expect.stringContaining('knows nothing of Hardhat')],
    )
    expect(withTarget('src/index.ts', "import '../plugin/index.ts'", 'plugin/index.ts')).toEqual([
      expect.stringContaining('outside src/'),
    ])
  })

  it('keeps the plugin out of the inside of src/', () => {
    const inside = "import { a } from '../../src/block/run.ts'"
    const outside = "import { a } from '../../src/index.ts'"
    expect(withTarget('plugin/tasks/bench.ts', inside, 'src/block/run.ts')).toHaveLength(1)
    expect(withTarget('plugin/tasks/bench.ts', outside, 'src/index.ts')).toEqual([])
  })

  it("keeps the plugin's index lazy", () => {
    const lazy = {
      'plugin/index.ts': [
        "import { definePlugin } from 'hardhat/plugins'",
        "import { name } from './constants.ts'",
        "import type { A } from './tasks/bench.ts'",
        "import './type-extensions.ts'",
        "const load = () => import('./tasks/bench.ts')",
      ].join('\n'),
      'plugin/constants.ts':
        "export const name = 'parallel'\nexport const counts = [1, 2] as const",
      'plugin/type-extensions.ts': "declare module 'hardhat/types/config' { interface A { a: 1 } }",
      'plugin/tasks/bench.ts': 'export const bench = () => 1',
    }
    expect(violationsOf(lazy)).toEqual([])
    const eager = { ...lazy, 'plugin/index.ts': "import { bench } from './tasks/bench.ts'" }
    expect(violationsOf(eager)).toEqual([expect.stringContaining('only describes')])
  })
})

describe('the check of default exports', () => {
  it('finds a dynamic import that the build would leave pointing at a .ts file', () => {
    const findIn = (source: string) =>
      findLayerViolations(new Map(Object.entries({ 'plugin/a.ts': source, 'plugin/b.ts': '' })))
    expect(findIn("export default { load: () => import('./b.ts') }")).toEqual([
      expect.stringContaining('export default'),
    ])
    expect(findIn("const a = { load: () => import('./b.ts') }\nexport default a")).toEqual([])
    expect(findIn("export default async function a() { await import('./b.ts') }")).toEqual([])
  })
})

describe('the reading of imports', () => {
  const importsOf = (sources: Record<string, string>) =>
    readAllImports(new Map(Object.entries(sources)))

  it('finds a cycle through static, dynamic and re-exporting imports', () => {
    const cyclic = {
      'src/block/a.ts': "import { b } from './b.ts'",
      'src/block/b.ts': "export { c } from './c.ts'",
      'src/block/c.ts': "export const c = () => import('./a.ts')",
    }
    expect(findImportCycles(importsOf(cyclic))).toEqual([
      'src/block/a.ts > src/block/b.ts > src/block/c.ts > src/block/a.ts',
    ])
  })

  it('lets types refer to each other in a circle', () => {
    const circle = {
      'src/block/a.ts': "import type { B } from './b.ts'",
      'src/block/b.ts': "import { a } from './a.ts'",
    }
    expect(findImportCycles(importsOf(circle))).toEqual([])
  })

  it('tells what is erased from what is loaded', () => {
    const source = [
      "import type { A } from 'a'",
      "import { type B } from 'b'",
      "export type { C } from 'c'",
      "const d = import('d')",
    ].join('\n')
    const kinds = readImports('src/index.ts', source, new Map()).map(({ kind }) => kind)
    expect(kinds).toEqual(['type', 'static', 'type', 'dynamic'])
  })

  it('names the packages that have to be installed', () => {
    const source = [
      "import { a } from '@scope/a/deep.js'",
      "import { b } from 'b'",
      "import { c } from 'node:fs'",
      "import type { D } from 'd'",
      "const e = import('e')",
    ].join('\n')
    const imports = readImports('src/index.ts', source, new Map())
    expect([...findLoadedPackages(imports)]).toEqual(['@scope/a', 'b'])
  })

  it('tells constants from code', () => {
    const constants = [
      'export const limits = { low: 1, high: 2n, names: ["a"] } as const',
      'export const next = limits.high + 1n',
      'export interface Limits { low: number }',
      "import type { A } from './a.ts'",
    ]
    for (const source of constants) expect(holdsOnlyConstantsAndTypes('a.ts', source)).toBe(true)
    const code = ['export const a = call()', 'export function a() {}', 'call()', 'export let a = 1']
    for (const source of code) expect(holdsOnlyConstantsAndTypes('a.ts', source)).toBe(false)
  })
})

function sourcesIn(folder: string): [path: string, source: string][] {
  const root = new URL(`${folder}/`, repository)
  if (!existsSync(root)) return []
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => [
      `${folder}/${name.replaceAll('\\', '/')}`,
      readFileSync(new URL(name, root), 'utf8'),
    ])
}
