// Times the dependency graph: `node test/bench/graph.ts`. A few seconds; prints medians and bars.
// The authority on the figures quoted for access/ and graph/. Must not be run as a test: on a shared
// machine, a time limit fails for reasons of its own.
import { cpus } from 'node:os'

import { AccessLists } from '../../src/access/access-lists.ts'
import { ReadWriteSet } from '../../src/access/read-write-set.ts'
import { ConflictDetector } from '../../src/graph/conflict-detector.ts'
import { DependencyGraph } from '../../src/graph/dependency-graph.ts'
import { dependentsOf, levelsOf, remainingWeights } from '../../src/graph/dependency-lists.ts'
import { deriveDependencies } from '../../src/graph/derive-dependencies.ts'
import { LevelDag } from '../../src/graph/level-dag.ts'

const SAMPLES = 60
const SAMPLE_MS = 3
const WARM_UP_MS = 150

/** Keeps results alive, so that no work is optimised away. */
let sink = 0

/** Prints the median and best time of a call, and its CPU time, which other processes disturb less. */
function measure(name: string, barMicroseconds: number | undefined, call: () => number): void {
  let calls = 0
  for (const end = performance.now() + WARM_UP_MS; performance.now() < end; calls++) sink += call()
  const perSample = Math.max(1, Math.ceil((calls * SAMPLE_MS) / WARM_UP_MS))
  const times: number[] = []
  const cpuBefore = process.cpuUsage()
  for (let sample = 0; sample < SAMPLES; sample++) {
    const start = performance.now()
    for (let i = 0; i < perSample; i++) sink += call()
    times.push(((performance.now() - start) * 1000) / perSample)
  }
  const { user, system } = process.cpuUsage(cpuBefore)
  const [best, median] = [0, SAMPLES >> 1].map((i) => times.sort((a, b) => a - b)[i])
  const cpu = (user + system) / (SAMPLES * perSample)
  const bar = barMicroseconds === undefined ? '' : String(barMicroseconds)
  const verdict = barMicroseconds === undefined ? '' : median < barMicroseconds ? 'below' : 'ABOVE'
  console.log(
    `${name.padEnd(66)}${median.toFixed(1).padStart(9)}${best.toFixed(1).padStart(9)}${cpu.toFixed(1).padStart(9)}${bar.padStart(7)} ${verdict}`,
  )
}

/** Keys of the length that a storage slot has: 20 bytes of address and 32 of slot. */
function keyOf(n: number): Uint8Array {
  const key = new Uint8Array(52)
  new DataView(key.buffer).setUint32(48, n)
  return key
}

type Plan = readonly { reads: readonly number[]; writes: readonly number[] }[]

function setsOf(plan: Plan, nameOf: (n: number) => string | Uint8Array): ReadWriteSet[] {
  return plan.map(({ reads, writes }) => {
    const set = new ReadWriteSet()
    for (const n of reads) set.addRead(nameOf(n))
    for (const n of writes) set.addWrite(nameOf(n))
    return set
  })
}

function detect(sets: readonly ReadWriteSet[]): number {
  const detector = new ConflictDetector<number>()
  for (const [id, set] of sets.entries()) detector.record(id, set)
  return detector.buildDependencyGraph().edgeCount
}

const transactions = Array.from({ length: 100 }, (_, i) => i)
/** Two reads and two writes each, nothing shared. */
const disjoint: Plan = transactions.map((i) => ({
  reads: [4 * i, 4 * i + 1],
  writes: [4 * i + 2, 4 * i + 3],
}))
/** Every second transaction writes one of ten hot keys instead. */
const half: Plan = disjoint.map((plan, i) =>
  i % 2 === 0 ? plan : { reads: plan.reads, writes: [plan.writes[0], 1000 + (i % 20)] },
)

/** Accesses of a block; `locationOf` numbers a location by transaction and place. */
function fill(
  lists: AccessLists,
  count: number,
  each: (lists: AccessLists, t: number) => void,
): AccessLists {
  lists.clear()
  for (let t = 0; t < count; t++) {
    each(lists, t)
    lists.endTransaction()
  }
  return lists
}

/** Everything that the executor wants of a block's graph. */
function compute(lists: AccessLists, gas: Float64Array): number {
  const dependencies = deriveDependencies(lists)
  const { levelCount } = levelsOf(dependencies)
  const dependents = dependentsOf(dependencies)
  const { remaining } = remainingWeights(dependencies, gas)
  return levelCount + dependents.targets.length + remaining[0]
}

/** Two of six locations are shared: a pool of 50 contracts, and a hot one for each tenth transaction. */
function mixed(lists: AccessLists, t: number): void {
  const sparse = (n: number): number => 40_000 + n * 27
  lists.addRead(sparse(6 * t))
  lists.addWrite(sparse(6 * t + 1))
  lists.addWrite(sparse(6 * t + 2))
  lists.addDelta(7)
  lists.addRead(100 + ((t * 7919) % 50))
  if (t % 10 === 0) lists.addWrite(8)
  else lists.addRead(sparse(6 * t + 4))
}

console.log(`Node ${process.version}, ${cpus()[0]?.model ?? 'unknown CPU'}, ${cpus().length} cores`)
console.log(`${'microseconds per call'.padEnd(66)}   median     best      CPU    bar`)

const chain = new DependencyGraph<number>()
for (const t of transactions) if (t % 2 === 1) chain.addDependency(t, t - 1)
const completed = new Set(transactions.filter((t) => t % 4 === 0))
measure('ready batch of 100, every second one depends on another', 50, () => {
  return chain.getReadyTransactions(transactions, completed).length
})

for (const [name, plan, bar] of [
  ['disjoint', disjoint, 100],
  ['50 % conflicts', half, 150],
] as const) {
  const names = new Map(
    plan
      .flatMap(({ reads, writes }) => [...reads, ...writes])
      .map((n) => [n, `0x${n.toString(16)}`]),
  )
  const byText = setsOf(plan, (n) => names.get(n)!)
  measure(`detect conflicts of 100, ${name}, sets given`, bar, () => detect(byText))
  measure(`detect conflicts of 100, ${name}, sets made of text keys`, bar, () =>
    detect(setsOf(plan, (n) => names.get(n)!)),
  )
  const bytes = new Map([...names.keys()].map((n) => [n, keyOf(n)]))
  measure(`detect conflicts of 100, ${name}, sets made of 52-byte keys`, undefined, () =>
    detect(setsOf(plan, (n) => bytes.get(n)!)),
  )
  measure(`the same, sets given, by comparing all pairs`, undefined, () => {
    let conflicts = 0
    for (const a of byText) for (const b of byText) if (a.hasConflictWith(b)) conflicts++
    return conflicts
  })
}

const nothing = new Set<number>()
measure('build a graph of 100 by addDependency, in order, and query it', 100, () => {
  const graph = new DependencyGraph<number>()
  for (const t of transactions) {
    graph.addTransaction(t)
    if (t >= 10) graph.addDependency(t, t - 10)
    if (t % 3 === 0 && t > 0) graph.addDependency(t, t - 3)
  }
  const ready = graph.getReadyTransactions(transactions, nothing).length
  return ready + graph.getRoots().length + graph.criticalPath().weight
})
measure('the same in reverse order', undefined, () => {
  const graph = new DependencyGraph<number>()
  for (let t = 99; t >= 0; t--) {
    if (t >= 10) graph.addDependency(t, t - 10)
    if (t % 3 === 0 && t > 0) graph.addDependency(t, t - 3)
  }
  return graph.criticalPath().weight
})

const gas = Float64Array.from({ length: 1000 }, (_, t) => 21_000 + ((t * 7919) % 100_000))
const lists = new AccessLists()
fill(lists, 1000, mixed)
measure('1,000 x 6 locations: lists, levels, dependents, weights', 1000, () => compute(lists, gas))
measure('the same with the accesses collected first', 1000, () => {
  return compute(fill(lists, 1000, mixed), gas)
})
fill(lists, 1000, (row, t) => {
  for (let i = 0; i < 6; i++) row.addWrite(6 * t + i)
})
measure('1,000 x 6, nothing shared', 1000, () => compute(lists, gas))
fill(lists, 1000, (row) => {
  for (let i = 0; i < 6; i++) row.addWrite(i)
})
measure('1,000 x 6, all write the same six', 1000, () => compute(lists, gas))
fill(lists, 1000, (row, t) => {
  for (let i = 0; i < 6; i++)
    if (t < 500) row.addDelta(i)
    else row.addRead(i)
})
measure('1,000 x 6, worst: 500 add to six, 500 read them', undefined, () => compute(lists, gas))

const thousand = new ConflictDetector<number, number>()
for (let t = 0; t < 1000; t++) {
  const set = new ReadWriteSet<number>()
    .addRead(6 * t)
    .addRead(6 * t + 1)
    .addDelta(-1)
  thousand.record(
    t,
    set
      .addWrite(6 * t + 2)
      .addWrite(-2 - ((t * 7919) % 200))
      .addWrite(6 * t + 3),
  )
}
measure('ConflictDetector, 1,000 x 6, number keys, sets given', undefined, () => {
  return thousand.buildDependencyGraph().edgeCount
})
const graph = thousand.buildDependencyGraph()
for (const maxParallelLevel of [1, Number.POSITIVE_INFINITY]) {
  measure(`LevelDag over its graph, maxParallelLevel ${maxParallelLevel}`, undefined, () => {
    const dag = new LevelDag(graph, { maxParallelLevel })
    for (let next = dag.take(); next !== undefined; next = dag.take()) dag.finish(next)
    return dag.levelCount
  })
}
if (sink === 0) console.log('nothing was computed')
