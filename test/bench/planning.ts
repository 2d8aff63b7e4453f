// Times the planning of a block: `node test/bench/planning.ts`. Some seconds; prints medians and bars.
// The authority on the figures quoted for predictions and plan. Must not be run as a test: on a shared
// machine, a time limit fails for reasons of its own.
import { availableParallelism, cpus } from 'node:os'

import { Block, createBlockHeader } from '@ethereumjs/block'
import { createAddressFromString, hexToBytes } from '@ethereumjs/util'
import type { VM } from '@ethereumjs/vm'

import { type Accounts, createAccounts } from '../../plugin/bench/accounts.ts'
import { startCpuClock } from '../../plugin/bench/cpu-clock.ts'
import { createRandom } from '../../plugin/bench/random.ts'
import { createStateImage, type StateImage } from '../../plugin/bench/state-image.ts'
import { median } from '../../plugin/bench/statistics.ts'
import { type GeneratedRow, generatedRows } from '../../plugin/bench/workloads/generated.ts'
import {
  createGeneratedCase,
  createWorkloadCommon,
} from '../../plugin/bench/workloads/generated-cases.ts'
import { World } from '../../plugin/bench/world.ts'
import { TemplateLibrary } from '../../src/access/template-library.ts'
import { BaseServer } from '../../src/block/base-server.ts'
import { BlockMemory } from '../../src/block/block-memory.ts'
import { BlockPlanner, type Foresight } from '../../src/block/block-planner.ts'
import { planGraph } from '../../src/block/plan-graph.ts'
import { runBlockWith } from '../../src/block/run-block.ts'
import { CONTROL, TRANSACTION, transactionIndex } from '../../src/memory/layout.ts'
import { resolveOptions } from '../../src/options.ts'
import { loadKeccak } from '../../src/state/keccak.ts'
import { WorkerPool } from '../../src/workers/pool.ts'

const TRANSACTIONS = 1_000
/** In the workload of swaps; enough for the graph to be wide, few enough for chains. */
const POOLS = 8
/** Predicting and deriving the graph of that many transactions. */
const PLANNING_BAR_MS = 10
/** The graph alone, as test/bench/graph.ts has it. */
const GRAPH_BAR_MS = 1

const SAMPLES = 40
const WARM_UP_SAMPLES = 40
/** Loading reads tries, which takes longer: a few are enough for a median. */
const LOADING_SAMPLES = 7
/** Senders are recovered while the plan is made; so many are new at a time. */
const RECOVERED_AT_ONCE = 32

const LEARNED_TRANSACTIONS = 24
const LEARNING_BLOCKS = 20
/** Recall from which a library counts as warmed. */
const LEARNED = 0.99

const keccak = await loadKeccak()
const foresight: Foresight = { keccak, library: new TemplateLibrary(keccak) }
const limits = resolveOptions()
const graphOptions = { ...limits, workers: 2 }
const memory = new BlockMemory(256, 256)
const seed = 1

/** People without keys: nobody signs here, and deriving a thousand addresses takes a while. */
function keylessAccounts(): Accounts {
  const { address } = createAccounts(seed)
  const sender = (index: number) => ({
    address: address('sender', index),
    privateKey: new Uint8Array(32),
  })
  return {
    sender,
    address,
    *derive(count) {
      for (let index = 0; index < count; index++) yield sender(index)
    },
  }
}

/** Executes small blocks of the kind until its functions are known, as an executor would. */
async function learn(row: GeneratedRow): Promise<void> {
  const benchCase = await createGeneratedCase({
    workload: 'mixed',
    row,
    transactions: LEARNED_TRANSACTIONS,
    seed,
    accounts: createAccounts(seed),
  })
  const pool = new WorkerPool(1, undefined)
  const settings = {
    ...{ memory, pool, foresight, limits, fallback: false, workerSetup: undefined },
    whySequential: undefined,
    onDone: () => {},
    onLater: () => {},
    choice: undefined,
    signal: new AbortController().signal,
  }
  try {
    for (let block = 0; block < LEARNING_BLOCKS; block++) {
      const vm = await benchCase.freshVm()
      const options = { block: benchCase.freshBlock(vm.common), skipBlockValidation: true }
      const { parallel } = await runBlockWith(vm, options, 'graph', settings)
      if ((parallel.access?.recall ?? 0) >= LEARNED) return
    }
  } finally {
    await pool.close()
  }
  throw new Error(`${row.name} is not predicted after ${LEARNING_BLOCKS} blocks`)
}

interface Prepared {
  readonly block: Block
  readonly image: StateImage
  readonly senders: readonly Uint8Array[]
}

async function prepare(row: GeneratedRow): Promise<Prepared> {
  const common = createWorkloadCommon()
  const accounts = keylessAccounts()
  const world = new World(common, accounts, createRandom(row.name))
  row.write(world, TRANSACTIONS)
  const coinbase = accounts.address('coinbase', 0)
  world.fund(coinbase)
  const header = createBlockHeader(
    { number: 1n, coinbase: createAddressFromString(coinbase), gasLimit: 30_000_000n },
    { common },
  )
  return {
    block: new Block(header, [...world.unsignedTransactions], [], [], { common }),
    image: await createStateImage(common, world.preState),
    senders: Array.from({ length: TRANSACTIONS }, (_, index) =>
      hexToBytes(accounts.sender(index).address),
    ),
  }
}

interface PlanRun {
  readonly planner: BlockPlanner
  /** As reports have it: predictions and graph, without loading. */
  readonly planMs: number
  /** From the first sender to the published plan. */
  readonly wholeMs: number
  readonly cpuMs: number
}

/** Plans the block once; what is in memory from the time before needs no loading. */
async function plan({ block, senders }: Prepared, vm: VM): Promise<PlanRun> {
  memory.beginBlock(TRANSACTIONS)
  const { control, table } = memory
  control[CONTROL.TRANSACTION_COUNT] = TRANSACTIONS
  const records = senders.map((sender) => table.account(sender))
  const { stateManager, blockchain } = vm
  const server = new BaseServer(memory, stateManager, blockchain, block.header.number, () => false)
  const fail = (error: unknown): never => {
    throw error
  }
  const planner = new BlockPlanner(memory, server, block, graphOptions, foresight, undefined, fail)
  const cpuClock = startCpuClock()
  const start = performance.now()
  await planner.begin()
  for (const [index, record] of records.entries()) {
    control[transactionIndex(index, TRANSACTION.SENDER)] = record
    const recovered = index + 1
    if (recovered % RECOVERED_AT_ONCE === 0 || recovered === TRANSACTIONS) await planner.advance()
  }
  planner.publish()
  const wholeMs = performance.now() - start
  return { planner, planMs: planner.planMs, wholeMs, cpuMs: cpuClock() }
}

function printLine(name: string, times: readonly number[], cpu?: readonly number[], bar?: number) {
  const middle = median(times)
  const cells = [middle, Math.min(...times), ...(cpu === undefined ? [] : [median(cpu)])]
  const verdict = bar === undefined ? '' : middle < bar ? 'below' : 'ABOVE'
  console.log(
    `  ${name.padEnd(62)}${cells.map((cell) => cell.toFixed(2).padStart(9)).join('')}` +
      `${(bar === undefined ? '' : String(bar)).padStart(cpu === undefined ? 16 : 7)} ${verdict}`,
  )
}

async function measure(name: string, row: GeneratedRow, levels: number): Promise<void> {
  await learn(row)
  const prepared = await prepare(row)
  const vm = await prepared.image.freshVm()
  memory.forget()
  const runs: PlanRun[] = []
  for (let sample = -WARM_UP_SAMPLES; sample < SAMPLES; sample++) {
    const run = await plan(prepared, vm)
    if (sample >= 0) runs.push(run)
  }
  const { planner } = runs[0]!
  if (planner.outlook?.levels !== levels) {
    throw new Error(`${name}: ${planner.outlook?.levels} levels are planned instead of ${levels}`)
  }
  const { rows } = planner.predictions
  const each = (rows.starts[rows.count]! / rows.count).toFixed(1)
  console.log(`${name}: ${each} accesses each, ${levels} level${levels === 1 ? '' : 's'}`)

  const whole = runs.map(({ wholeMs }) => wholeMs)
  const cpu = runs.map(({ cpuMs }) => cpuMs)
  const planning = runs.map(({ planMs }) => planMs)
  printLine(
    'predictions and graph, as phases.plan of reports',
    planning,
    undefined,
    PLANNING_BAR_MS,
  )
  printLine('from the first sender to the published plan', whole, cpu, PLANNING_BAR_MS)

  const gas = Float64Array.from(prepared.block.transactions, ({ gasLimit }) => Number(gasLimit))
  const graphTimes: number[] = []
  for (let sample = -WARM_UP_SAMPLES; sample < SAMPLES; sample++) {
    const start = performance.now()
    planGraph(rows, gas, graphOptions)
    if (sample >= 0) graphTimes.push(performance.now() - start)
  }
  printLine(
    'the graph of it alone (compare test/bench/graph.ts)',
    graphTimes,
    undefined,
    GRAPH_BAR_MS,
  )

  const loading: number[] = []
  for (let sample = 0; sample < LOADING_SAMPLES; sample++) {
    memory.forget()
    const coldVm = await prepared.image.freshVm()
    loading.push((await plan(prepared, coldVm)).wholeMs)
  }
  printLine('the same with all accounts and slots loaded from cold tries', loading)
}

console.log(
  `Node ${process.version}, ${cpus()[0]?.model ?? 'unknown CPU'}, ${availableParallelism()} cores`,
)
console.log(`${'ms for 1,000 transactions'.padEnd(64)}   median     best      CPU    bar`)

const [transfers] = generatedRows('erc20', TRANSACTIONS)
await measure('1,000 ERC-20 transfers', transfers!, 1)
const swaps = generatedRows('amm', TRANSACTIONS).find(({ name }) => name === `amm (${POOLS} pools)`)
await measure(`1,000 swaps in ${POOLS} pools`, swaps!, TRANSACTIONS / POOLS)
