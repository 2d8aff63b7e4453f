// Which rows a benchmark has, in order, each with the means to prepare it when its turn comes.
// The authority on where mainnet blocks come from and on what is left out with a note.
// Must not prepare anything ahead: one block's state at a time is enough in memory.
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { pluginError } from '../plugin-error.ts'
import { PLUGIN_ID } from '../plugin-id.ts'
import { createAccounts } from './accounts.ts'
import type { BenchCase } from './bench-case.ts'
import { loadKzg } from './kzg.ts'
import { findPackageRoot } from './machine.ts'
import type { BenchOptions } from './options.ts'
import { generatedRows } from './workloads/generated.ts'
import { createGeneratedCase } from './workloads/generated-cases.ts'
import {
  createMainnetCase,
  hasBlobTransactions,
  listBlockFiles,
  mergeBlockFiles,
  readMainnetFile,
} from './workloads/mainnet.ts'

export interface PlannedRow {
  readonly name: string
  /** The case, or a sentence that says why there is none. */
  prepare(signal: AbortSignal): Promise<BenchCase | string>
}

export interface Plan {
  readonly rows: readonly PlannedRow[]
  readonly notes: readonly string[]
}

export function planRows(options: BenchOptions, fixtures = fixtureFolder()): Plan {
  const accounts = createAccounts(options.seed)
  const rows: PlannedRow[] = []
  const notes: string[] = []
  for (const workload of options.workloads) {
    if (workload !== 'mainnet') {
      for (const row of generatedRows(workload, options.transactions)) {
        const { transactions, seed } = options
        rows.push({
          name: row.name,
          prepare: (signal) =>
            createGeneratedCase({ workload, row, transactions, seed, accounts, signal }),
        })
      }
      continue
    }
    const files = findBlockFiles(options, fixtures)
    if (files.length === 0) {
      notes.push('mainnet is left out: this installation has no block files, use --blocks DIR')
    }
    for (const file of files) rows.push(mainnetRow(file))
  }
  return { rows, notes }
}

function findBlockFiles(options: BenchOptions, fixtures: string | undefined): string[] {
  const { blocksFolder, isMainnetNamed } = options
  const own = fixtures === undefined ? [] : listBlockFiles(fixtures)
  const given = blocksFolder === undefined ? [] : listBlockFiles(blocksFolder)
  if (blocksFolder !== undefined && given.length === 0) {
    throw pluginError(`--blocks: the folder ${blocksFolder} has no files named N.json.gz`)
  }
  const files = mergeBlockFiles(own, given)
  if (files.length === 0 && isMainnetNamed) {
    throw pluginError('the workload mainnet has no blocks in this installation: use --blocks DIR')
  }
  return files
}

function mainnetRow(path: string): PlannedRow {
  return {
    name: `mainnet ${Number.parseInt(basename(path), 10)}`,
    async prepare() {
      const file = await readMainnetFile(path)
      if (!hasBlobTransactions(file)) return await createMainnetCase(path, file)
      const kzg = await loadKzg()
      if (kzg === undefined) {
        return `${basename(path)} is left out: its blob transactions need the package micro-eth-signer`
      }
      return await createMainnetCase(path, file, kzg)
    },
  }
}

/** The blocks that come with the repository; a published package may be without them. */
function fixtureFolder(): string | undefined {
  const root = findPackageRoot(fileURLToPath(import.meta.url), PLUGIN_ID)
  return root === undefined ? undefined : join(root, 'test', 'fixtures', 'mainnet')
}
