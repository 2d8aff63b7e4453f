// The layers of src/ and plugin/, and the check that imports only point down.
// The authority on who may import whom; docs/architecture.md describes the same table in words.
// Must not read files: callers hand in paths and sources, so that the rules can be tried on made-up ones.
import {
  holdsOnlyConstantsAndTypes,
  type ModuleImport,
  readAllImports,
  type SourceFiles,
} from './imports.ts'

/** Modules of src/ (a folder, or a file without its ending), lowest layer first. */
const sourceLayers: readonly (readonly string[])[] = [
  ['ids', 'errors'],
  // Options name their errors, so they stand half a step above the rest of the bottom layer.
  ['options'],
  ['access', 'crypto', 'memory'],
  ['graph', 'mvcc', 'state', 'stats'],
  ['scheduling', 'execution'],
  ['workers'],
  // Neither knows the other: the engine runs transactions that are functions, without an EVM.
  ['block', 'engine'],
  ['index'],
]

const publicIndex = 'src/index.ts'
const pluginIndex = 'plugin/index.ts'

/** One sentence for each import that breaks a layer rule, and for each file outside every layer. */
export function findLayerViolations(files: SourceFiles): string[] {
  const violations: string[] = []
  for (const path of files.keys()) {
    if (path.startsWith('src/') && layerOf(moduleOf(path)) === -1) {
      violations.push(`${path} is in no layer: ${moduleOf(path)} is not a known module of src/`)
    }
  }
  for (const edge of readAllImports(files)) {
    const broken = brokenRule(edge, files)
    if (broken !== undefined) {
      violations.push(`${edge.from}:${edge.line} imports '${edge.specifier}': ${broken}`)
    }
  }
  return violations
}

function brokenRule(edge: ModuleImport, files: SourceFiles): string | undefined {
  if (!edge.specifier.startsWith('.')) return brokenPackageRule(edge)
  if (edge.to === undefined) return 'no such file in src/ or plugin/'
  if (edge.kind === 'dynamic' && edge.inDefaultExport) return defaultExportRule
  if (edge.from.startsWith('src/')) return brokenSourceRule(edge.from, edge.to)
  if (edge.to.startsWith('src/')) {
    if (edge.to !== publicIndex) return `plugin/ reaches src/ only through ${publicIndex}`
    if (edge.from === pluginIndex && edge.kind === 'static') return lazyRule
  } else if (edge.from === pluginIndex && edge.kind === 'static') {
    if (!holdsOnlyConstantsAndTypes(edge.to, files.get(edge.to) ?? '')) return lazyRule
  }
  return undefined
}

const defaultExportRule =
  'the compiler does not rewrite .ts inside an export default expression: export a named constant'

const lazyRule = `${pluginIndex} only describes: what runs is loaded by a dynamic import`

function brokenPackageRule({ from, specifier }: ModuleImport): string | undefined {
  if (/^parallel-evm(\/|$)/.test(specifier)) return 'own files are imported by their path'
  if (from.startsWith('src/') && /^(hardhat|@nomicfoundation)(\/|$)/.test(specifier)) {
    return 'src/ knows nothing of Hardhat'
  }
  return undefined
}

function brokenSourceRule(from: string, to: string): string | undefined {
  if (!to.startsWith('src/')) return 'src/ imports nothing of this project outside src/'
  const [importer, imported] = [moduleOf(from), moduleOf(to)]
  if (importer === imported) return undefined
  const [importerLayer, importedLayer] = [layerOf(importer), layerOf(imported)]
  // Reported once, as a file outside every layer.
  if (importerLayer === -1 || importedLayer === -1) return undefined
  if (importedLayer < importerLayer) return undefined
  const direction = importedLayer === importerLayer ? 'sideways' : 'upwards'
  return `${importer} reaches ${direction} to ${imported}`
}

/** `src/access/location.ts` is of module `access`, `src/stats.ts` of module `stats`. */
function moduleOf(path: string): string {
  return (path.split('/')[1] ?? '').replace(/\.ts$/, '')
}

function layerOf(module: string): number {
  return sourceLayers.findIndex((modules) => modules.includes(module))
}
