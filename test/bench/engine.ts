// Times the engine: `npm run bench:engine`, or `node --expose-gc test/bench/engine.ts [part ...]`. The
// authority on the figures quoted for engine/. Must not be run as a test: on a shared machine, a time limit
// fails for reasons of its own.
//
// Bars are the figures of the system's documents (another language, another machine) or what docs/engine.md
// promises; ratios are of medians of runs in turn, so that both sides have the same disturbances.
import { once } from 'node:events'
import { cpus } from 'node:os'
import { Worker } from 'node:worker_threads'
import { ReadWriteSet } from '../../src/access/read-write-set.ts'
import { createScheduler } from '../../src/engine/create-scheduler.ts'
import { MvccStore } from '../../src/engine/mvcc-store.ts'
import type { StateView } from '../../src/engine/mvcc-transaction.ts'
import { ParallelScheduler } from '../../src/engine/parallel-scheduler.ts'
import { StateManager } from '../../src/engine/state-manager.ts'
import type { MvccStoreOptions } from '../../src/engine/store-options.ts'
import { ConflictDetector } from '../../src/graph/conflict-detector.ts'
import { DependencyGraph } from '../../src/graph/dependency-graph.ts'

const value = new Uint8Array(8).fill(7)
const executor = new URL('./engine-executor.ts', import.meta.url)
let sink = 0

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1]!
}

function report(what: string, figure: string, bar = '', holds?: boolean): void {
  const verdict = holds === undefined ? '' : holds ? 'holds' : 'FAILS'
  console.log(`${what.padEnd(64)}${figure.padStart(22)}  ${bar.padEnd(16)} ${verdict}`)
}

/** Microseconds per call of each, measured in turn. */
function compare(calls: readonly (() => number)[], samples = 25, sampleMs = 4): number[] {
  const perSample = calls.map((call) => {
    let count = 0
    for (const end = performance.now() + 100; performance.now() < end; count++) sink += call()
    return Math.max(1, Math.ceil((count * sampleMs) / 100))
  })
  const times: number[][] = calls.map(() => [])
  for (let sample = 0; sample < samples; sample++) {
    for (const [i, call] of calls.entries()) {
      const start = performance.now()
      for (let n = 0; n < perSample[i]!; n++) sink += call()
      times[i]!.push(((performance.now() - start) * 1000) / perSample[i]!)
    }
  }
  return times.map(median)
}

function filled(entries: number, options: MvccStoreOptions = {}): MvccStore {
  const store = new MvccStore(options)
  for (let from = 0; from < entries; from += 1000) {
    using filling = store.begin()
    for (let i = from; i < Math.min(entries, from + 1000); i++) filling.write(keyOf(i), value)
    filling.commit()
  }
  return store
}

const keys = Array.from({ length: 1000 }, (_, i) => Buffer.from(`key ${i}`.padEnd(20)))
function keyOf(i: number): Uint8Array {
  return keys[i] ?? Buffer.from(`key ${i}`.padEnd(20))
}

function graphs(): void {
  const disjoint = Array.from({ length: 100 }, (_, i) =>
    new ReadWriteSet().addRead(`r${i}`).addWrite(`w${i}`).addWrite(`v${i}`),
  )
  const half = disjoint.map((set, i) =>
    i % 2 === 0 ? set : new ReadWriteSet().addRead(`r${i}`).addWrite(`hot${i % 20}`),
  )
  const detect = (sets: readonly ReadWriteSet[]): number => {
    const detector = new ConflictDetector<number>()
    for (const [id, set] of sets.entries()) detector.record(id, set)
    return detector.buildDependencyGraph().edgeCount
  }
  const ids = disjoint.map((_, i) => i)
  const scheduler = new ParallelScheduler({ mvccConfig: { maxMiB: 1 } })
  for (const [id, set] of half.entries()) scheduler.recordRwSet(id, set)
  const [ready, free, conflicts, build] = compare([
    () => scheduler.getParallelBatch(ids).length,
    () => detect(disjoint),
    () => detect(half),
    () => {
      const graph = new DependencyGraph<number>()
      for (const id of ids) {
        graph.addTransaction(id)
        if (id >= 10) graph.addDependency(id, id - 10)
      }
      return graph.getReadyTransactions(ids, new Set()).length + graph.criticalPath().weight
    },
  ])
  const line = (what: string, us: number | undefined, bar: number): void =>
    report(what, `${us!.toFixed(1)} us`, `< ${bar} us`, us! < bar)
  line('ready batch of 100', ready, 350)
  line('conflict detection over 100 disjoint', free, 397)
  line('conflict detection over 100 at 50 % conflicts', conflicts, 461)
  line('build and query a graph of 100', build, 345)
}

function snapshots(): void {
  const states = [1000, 100_000].map((entries) => {
    const state = new StateManager()
    for (let i = 0; i < entries; i++) state.write(keyOf(i), value)
    return state
  })
  const stores = [1000, 100_000].map((entries) => filled(entries))
  const calls = [
    ...states.map((state) => () => {
      const id = state.createSnapshot()
      state.discard(id)
      return id
    }),
    ...stores.map((store) => () => {
      const open = store.beginReadOnly()
      open.commit()
      return open.startTs
    }),
  ]
  const [small, large, smallStore, largeStore] = compare(calls)
  report(
    'snapshot of a state of 1,000 entries',
    `${small!.toFixed(3)} us`,
    '< 225 us',
    small! < 225,
  )
  const ratio = large! / small!
  report(
    'snapshot of 100,000 entries, against 1,000',
    `${ratio.toFixed(2)} x`,
    'alike: < 2 x',
    ratio < 2,
  )
  report('begin on a store of 1,000 entries', `${smallStore!.toFixed(3)} us`)
  const storeRatio = largeStore! / smallStore!
  report(
    'begin on 100,000, against 1,000',
    `${storeRatio.toFixed(2)} x`,
    'alike: < 2 x',
    storeRatio < 2,
  )
  for (const store of stores) store.dispose()
}

/** The same two reads; the snapshot execution writes both back, as a transfer does. */
function readOnly(): void {
  const store = filled(1000, { autoGc: {} })
  const scheduler = new ParallelScheduler({ store, isolation: 'serializable' })
  const snapshot = new ParallelScheduler({ store })
  let next = 0
  const readTwo = (state: StateView): number => {
    next = (next + 2) % 1000
    return state.read(keys[next]!)!.length + state.read(keys[next + 1]!)!.length
  }
  const transfer = (state: StateView): number => {
    const read = readTwo(state)
    state.write(keys[next]!, value)
    state.write(keys[next + 1]!, value)
    return read
  }
  const [fast, slow, serial, idle] = compare([
    () => scheduler.executeReadOnly(readTwo),
    () => snapshot.executeWithSnapshot(transfer),
    () => scheduler.executeWithSnapshot(transfer),
    () => snapshot.executeWithSnapshot(readTwo),
  ])
  report('read-only transaction of two reads', `${fast!.toFixed(2)} us`)
  report('snapshot execution of two reads, nothing written', `${idle!.toFixed(2)} us`)
  report('snapshot execution of two reads and two writes', `${slow!.toFixed(2)} us`)
  const ratio = slow! / fast!
  report('read-only against snapshot execution', `${ratio.toFixed(1)} x`, '>= 3 x', ratio >= 3)
  report('  against a serializable one', `${(serial! / fast!).toFixed(1)} x`)
  store.dispose()
}

/** How much faster two bare threads are than one: what the machine gives at best, now. */
async function machineGain(): Promise<number> {
  const code = `require('worker_threads').parentPort.on('message', (rounds) => {
    let mixed = 1
    for (let i = 0; i < rounds * 150_000; i++) mixed = (Math.imul(mixed, 31) + i) | 0
    require('worker_threads').parentPort.postMessage(mixed)
  })`
  const threads = [0, 1].map(() => new Worker(code, { eval: true }))
  const run = async (rounds: readonly number[]): Promise<number> => {
    const start = performance.now()
    const ends = rounds.map((_, i) => once(threads[i]!, 'message'))
    for (const [i, count] of rounds.entries()) threads[i]!.postMessage(count)
    await Promise.all(ends)
    return performance.now() - start
  }
  await run([300, 300])
  const gains: number[] = []
  for (let round = 0; round < 9; round++) gains.push((await run([600])) / (await run([300, 300])))
  await Promise.all(threads.map((thread) => thread.terminate()))
  return median(gains)
}

/** Transactions that keep a core busy, on one worker and on two, by turns. */
async function workers(): Promise<void> {
  report(
    'two bare threads against one: what the machine gives',
    `${(await machineGain()).toFixed(2)} x`,
  )
  const ROUNDS = 9
  const compareWorkers = async (kind: 'mvcc' | 'dag', isHot: boolean) => {
    await using one = createScheduler(kind, { workers: 1 })
    await using two = createScheduler(kind, { workers: 2 })
    const transactions = Array.from({ length: 600 }, (_, id) => ({
      id,
      input: { key: isHot ? 'hot' : `key ${id}`, spins: 150_000 },
    }))
    // The first batches load and compile.
    for (const scheduler of [one, two]) await scheduler.execute(transactions, executor)
    const ratios: number[] = []
    const conflicts: number[] = []
    for (let round = 0; round < ROUNDS; round++) {
      // By turns, because what is first is disturbed by what was left before.
      const isAloneFirst = round % 2 === 0
      const before = isAloneFirst ? await one.execute(transactions, executor) : undefined
      const both = await two.execute(transactions, executor)
      const alone = before ?? (await one.execute(transactions, executor))
      ratios.push(alone.elapsedMs / both.elapsedMs)
      conflicts.push(both.conflicts)
    }
    return { gain: median(ratios), conflicts: median(conflicts) }
  }
  for (const kind of ['mvcc', 'dag'] as const) {
    const { gain } = await compareWorkers(kind, false)
    const figure = `${gain.toFixed(2)} x as fast`
    report(`${kind}: two workers against one, disjoint`, figure, '>= 1.7 x', gain >= 1.7)
    const hot = await compareWorkers(kind, true)
    const cost = 1 / hot.gain
    const time = `${cost.toFixed(2)} x the time`
    report(`${kind}: two workers against one, one hot key`, time, '<= 1.1 x', cost <= 1.1)
    report('  transactions of 600 run again', `${hot.conflicts}`)
  }
}

/**
 * What writers pay for automatic collection, of CPU time, against a store that is collected while nobody
 * measures, so that both use the same memory again and again.
 */
function collection(): void {
  const COMMITS = 20_000
  const write = (store: MvccStore): number => {
    const before = process.cpuUsage()
    for (let i = 0; i < COMMITS; i++) {
      const open = store.begin()
      open.write(keys[i % 1000]!, value)
      open.commit()
    }
    const { user, system } = process.cpuUsage(before)
    return (user + system) / COMMITS
  }
  using without = filled(1000)
  using collecting = filled(1000, { autoGc: { enableAdaptive: false } })
  const off: number[] = []
  const on: number[] = []
  for (let round = 0; round < 50; round++) {
    // By turns, because what is first is disturbed by what was left before.
    if (round % 2 === 0) off.push(write(without))
    on.push(write(collecting))
    if (round % 2 === 1) off.push(write(without))
    without.gc()
  }
  // The first rounds compile.
  const [a, b] = [median(off.slice(10)), median(on.slice(10))]
  report('commit of one key, collected while nobody measures', `${a.toFixed(2)} us CPU`)
  report('the same with automatic collection', `${b.toFixed(2)} us CPU`)
  const cost = (b / a - 1) * 100
  report('cost of automatic collection for writers', `${cost.toFixed(1)} %`, '< 5 %', cost < 5)
  const { collectingMs, automatic } = collecting.getGcStats()
  const share = (collectingMs / ((50 * COMMITS * b) / 1000)) * 100
  report(`  of it in ${automatic} collections themselves`, `${share.toFixed(1)} %`)
}

/** A million commits on a thousand keys, the first half under an open reader. */
function memory(): void {
  using store = filled(1000, { autoGc: {} })
  const reader = store.beginReadOnly()
  const commit = (from: number, to: number): void => {
    for (let i = from; i < to; i++) {
      const open = store.begin()
      open.write(keys[i % 1000]!, value)
      open.commit()
    }
  }
  const used = (): number => store.getGcStats().bytesUsed / 2 ** 20
  commit(0, 500_000)
  const held = used()
  reader.commit()
  commit(500_000, 550_000)
  const early = used()
  commit(550_000, 1_000_000)
  const late = used()
  report('shared memory while a reader is held, 500,000 commits', `${held.toFixed(1)} MiB`)
  const figure = `${early.toFixed(1)} -> ${late.toFixed(1)} MiB`
  report('and in the 500,000 commits after it', figure, 'flat', late <= early)
  report('versions of 1,000 keys in the end', `${store.totalVersions()}`)
}

const parts = { graphs, snapshots, readOnly, collection, memory, workers }
const chosen = process.argv.slice(2)
console.log(`Node ${process.version}, ${cpus()[0]?.model ?? 'unknown CPU'}, ${cpus().length} cores`)
for (const [name, part] of Object.entries(parts)) {
  if (chosen.length === 0 || chosen.includes(name)) await part()
}
if (sink === 0 && chosen.length === 0) console.log('nothing was computed')
