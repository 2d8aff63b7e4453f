// Script: real mainnet blocks, ours against stock on the same pre-state, at several worker counts.
// Prints one line per run, or per series of repeats, and exits 1 on any difference; it is no benchmark
// (times are one-off).
// node test/conformance/run-mainnet.ts --dir DIR [--workers 1,2,4] [--repeat 20] [--blocks N,N] [--stock]
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

import type { Block } from '@ethereumjs/block'
import type { MerkleStateManager } from '@ethereumjs/statemanager'
import { runBlock } from '@ethereumjs/vm'

import { type Implementation, loadImplementation } from '../support/implementation.ts'
import { loadMainnetBlock, type MainnetBlock } from '../support/mainnet.ts'
import { compareOutcomes, compareStateRoots, type Outcome, outcomeOf } from '../support/oracle.ts'
import { explainStateDifference } from '../support/state-difference.ts'

const repeatedBlocks = 10
const isQuietIfEqual = true

const { values: options } = parseArgs({
  options: {
    dir: {
      type: 'string',
      default: fileURLToPath(new URL('../fixtures/mainnet', import.meta.url)),
    },
    workers: { type: 'string', default: '1,2,4' },
    repeat: { type: 'string', default: '20' },
    blocks: { type: 'string' },
    stock: { type: 'boolean', default: false },
  },
})

interface Reference {
  readonly mainnet: MainnetBlock
  readonly outcome: Outcome
  readonly vm: Awaited<ReturnType<MainnetBlock['makeVm']>>
  readonly milliseconds: number
}

let differing = 0
let runs = 0

async function main(): Promise<void> {
  const implementations: Implementation[] = []
  const conflictsOf = new Map<string, number>()
  try {
    for (const workers of options.workers.split(',').map(Number)) {
      implementations.push(await loadImplementation({ stock: options.stock, workers }))
    }
    for (const path of blockFiles()) {
      const reference = await runReference(path)
      for (const implementation of implementations) {
        const conflicts = await check(reference, implementation, reference.mainnet.freshBlock())
        conflictsOf.set(path, Math.max(conflicts, conflictsOf.get(path) ?? 0))
      }
    }
    await repeatMostConflicting(conflictsOf, implementations)
  } finally {
    await Promise.all(implementations.map((implementation) => implementation.close()))
  }
  console.log(`${runs} runs, ${differing} with differences`)
  if (differing > 0) process.exitCode = 1
}

function blockFiles(): string[] {
  if (!existsSync(options.dir)) throw new Error(`no such directory: ${options.dir}`)
  const wanted = options.blocks?.split(',')
  const numbers = readdirSync(options.dir)
    .filter((name) => name.endsWith('.json.gz'))
    .map((name) => name.slice(0, -'.json.gz'.length))
    .filter((number) => wanted === undefined || wanted.includes(number))
    .sort((left, right) => Number(left) - Number(right))
  if (numbers.length === 0) throw new Error(`no blocks to run in ${options.dir}`)
  return numbers.map((number) => join(options.dir, `${number}.json.gz`))
}

/** Many passes over few blocks: what depends on timing shows only now and then. */
async function repeatMostConflicting(
  conflictsOf: ReadonlyMap<string, number>,
  implementations: readonly Implementation[],
): Promise<void> {
  const repeats = Number(options.repeat) - 1
  if (repeats <= 0 || options.stock) return
  const paths = [...conflictsOf]
    .filter(([, conflicts]) => conflicts > 0)
    .sort(([, left], [, right]) => right - left)
    .slice(0, repeatedBlocks)
    .map(([path]) => path)
  console.log(`\nrepeating the ${paths.length} blocks with the most conflicts ${repeats} times`)
  for (const path of paths) {
    const reference = await runReference(path)
    for (const implementation of implementations) {
      const before = differing
      for (let repeat = 0; repeat < repeats; repeat++) {
        // Senders stay known from the reference run: repeats are about scheduling, not recovery.
        await check(reference, implementation, reference.mainnet.block, isQuietIfEqual)
      }
      console.log(`  ${implementation.name}: ${repeats} runs, ${differing - before} different`)
    }
  }
}

async function runReference(path: string): Promise<Reference> {
  const mainnet = await loadMainnetBlock(path)
  const vm = await mainnet.makeVm()
  const started = performance.now()
  const outcome = await outcomeOf(() =>
    runBlock(vm, { ...mainnet.runOptions, block: mainnet.block }),
  )
  const milliseconds = performance.now() - started
  const { header, transactions } = mainnet.block
  const problems: string[] = []
  if (outcome.kind === 'error') problems.push(`stock threw ${String(outcome.error)}`)
  else {
    if (outcome.result.gasUsed !== header.gasUsed) problems.push("stock's gas is not the header's")
    const sameReceipts = Buffer.compare(outcome.result.receiptsRoot, header.receiptTrie) === 0
    if (!sameReceipts && !mainnet.isPreByzantium) {
      problems.push("stock's receipts root is not the header's")
    }
  }
  report(
    `${mainnet.number} ${mainnet.hardfork}, ${transactions.length} txs: stock ${milliseconds.toFixed(0)} ms`,
    problems,
  )
  return { mainnet, outcome, vm, milliseconds }
}

/** Returns the conflicts it saw, to find the blocks worth repeating. */
async function check(
  reference: Reference,
  implementation: Implementation,
  block: Block,
  isQuiet = false,
): Promise<number> {
  const { mainnet } = reference
  const vm = await mainnet.makeVm()
  const started = performance.now()
  const outcome = await outcomeOf(() =>
    implementation.runBlock(vm, { ...mainnet.runOptions, block }),
  )
  const milliseconds = performance.now() - started
  runs++
  const differences = compareOutcomes(reference.outcome, outcome)
  differences.push(...(await compareStateRoots(reference.vm, vm)))
  if (differences.length > 0) {
    differences.push(
      ...(await explainStateDifference(
        reference.vm.stateManager as MerkleStateManager,
        vm.stateManager as MerkleStateManager,
        [...mainnet.addresses, block.header.coinbase.toString()],
      )),
    )
  }
  const parallel = outcome.kind === 'result' ? reportOf(outcome.result) : undefined
  differences.push(...wrongMode(mainnet, implementation, parallel))
  const how =
    parallel === undefined
      ? ''
      : `, ${parallel.mode} (${parallel.why}), ${parallel.reExecutions} re-executions, ` +
        `${parallel.conflicts} conflicts, ${parallel.levels} levels` +
        parallel.incidents.map((incident) => `, incident: ${incident}`).join('')
  if (!isQuiet || differences.length > 0) {
    report(`  ${implementation.name}: ${milliseconds.toFixed(0)} ms${how}`, differences)
  }
  return parallel?.conflicts ?? 0
}

function wrongMode(
  mainnet: MainnetBlock,
  implementation: Implementation,
  parallel: ReturnType<typeof reportOf>,
): string[] {
  if (implementation.isStock) return []
  if (parallel === undefined) return ['result.parallel is missing']
  const { mode, why } = parallel
  if (mainnet.isPreByzantium) {
    if (mode !== 'sequential') return [`a block before Byzantium ran in mode ${mode}`]
    return why === '' ? ['a sequential block gave no reason'] : []
  }
  if (mainnet.block.transactions.length === 0) return []
  return mode === 'parallel' ? [] : [`expected mode parallel, got ${mode}: ${why}`]
}

function reportOf(result: object) {
  return (result as Awaited<ReturnType<Implementation['runBlock']>>).parallel
}

function report(line: string, problems: readonly string[]): void {
  console.log(`${line}: ${problems.length === 0 ? 'equal' : 'DIFFERENT'}`)
  for (const problem of problems) console.log(`      ${problem}`)
  if (problems.length > 0) differing++
}

await main()
