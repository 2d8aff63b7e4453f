// A thread that does its part of many histories: random transactions, several of them open at once.
// Authority on what is recorded of them. Must not judge.
import { parentPort, workerData } from 'node:worker_threads'

import {
  type Isolation,
  MvccStore,
  type MvccStoreHandle,
  ParallelError,
} from '../../src/engine/index.ts'
import type { Operation, Transaction } from './history.ts'
import { randomOf } from './random.ts'

/** What a thread is told. */
export interface ThreadData {
  readonly handle: MvccStoreHandle
  readonly isolation: Isolation
  readonly seed: number
  readonly worker: number
  readonly workers: number
  readonly histories: number
  /** Threads that have arrived at the start of a history, counted on. */
  readonly barrier: SharedArrayBuffer
}

const KEYS = 4
const OPEN_AT_ONCE = 3
const TRANSACTIONS = 6
/** Of 10 ms each, for a thread that another one does not join. */
const MOST_SLEEPS = 3000

type Open = ReturnType<MvccStore['begin']>
interface Running {
  readonly open: Open
  readonly id: string
  readonly began: number
  readonly operations: Operation[]
  left: number
}

const data = workerData as ThreadData
using store = MvccStore.attach(data.handle)
const random = randomOf(data.seed * 1000 + data.worker)
const recorded: Transaction[][] = []
for (let history = 0; history < data.histories; history++) {
  meet(history)
  recorded.push(runPart(history))
}
parentPort!.postMessage(recorded)

/** Waits for the others, so that all work on the same keys at the same time. */
function meet(history: number): void {
  const words = new Int32Array(data.barrier)
  Atomics.add(words, 0, 1)
  Atomics.notify(words, 0)
  for (let sleep = 0; sleep < MOST_SLEEPS; sleep++) {
    const arrived = Atomics.load(words, 0)
    if (arrived >= (history + 1) * data.workers) return
    Atomics.wait(words, 0, arrived, 10)
  }
  throw new Error('another thread did not arrive: it must have failed')
}

function runPart(history: number): Transaction[] {
  const done: Transaction[] = []
  const running: Running[] = []
  let begun = 0
  let step = 0
  const begin = (): void => {
    const isReadOnly = random(4) === 0
    const open = isReadOnly ? store.beginReadOnly() : store.begin({ isolation: data.isolation })
    const id = `${history}.${data.worker}.${begun++}`
    running.push({ open, id, began: step, operations: [], left: 1 + random(5) })
  }
  while (done.length < TRANSACTIONS) {
    step++
    if (begun < TRANSACTIONS && running.length < OPEN_AT_ONCE && random(3) > 0) begin()
    if (random(20) === 0) store.gc()
    if (running.length === 0) continue
    const at = random(running.length)
    const it = running[at]!
    if (it.left-- > 0) {
      operate(it, `${history}:${random(KEYS)}`)
      continue
    }
    running.splice(at, 1)
    done.push(end(it, step))
  }
  return done
}

function operate({ open, operations, id }: Running, key: string): void {
  if (open.isReadOnly || random(2) === 0) {
    const bytes = open.read(key)
    const value = bytes === undefined ? undefined : Buffer.from(bytes).toString()
    operations.push({ kind: 'read', key, value })
  } else if (random(8) === 0) {
    open.delete(key)
    operations.push({ kind: 'write', key, value: undefined })
  } else {
    const value = `${id}/${operations.length}`
    open.write(key, Buffer.from(value))
    operations.push({ kind: 'write', key, value })
  }
}

function end({ open, id, operations, began }: Running, ended: number): Transaction {
  const { startTs, isReadOnly } = open
  const all = { id, worker: data.worker, operations, began, ended, startTs, isReadOnly }
  if (random(10) === 0) {
    open.abort()
    return { ...all, commitTs: undefined }
  }
  try {
    return { ...all, commitTs: open.commit() }
  } catch (error) {
    if (error instanceof ParallelError && error.code === 'WRITE_CONFLICT') {
      return { ...all, commitTs: undefined }
    }
    throw error
  }
}
