// Lets threads make histories on one store, and checks each. Authority on how many there are at a time.
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'

import { type Isolation, MvccStore } from '../../src/engine/index.ts'
import { findSerialFaults, findSnapshotFaults } from './checker.ts'
import type { History, Transaction } from './history.ts'
import type { ThreadData } from './history-thread.ts'

const WORKERS = 3
/** Histories on one store: their versions stay until they are collected. */
const PER_STORE = 500

export interface HistorySummary {
  readonly histories: number
  readonly transactions: number
  readonly committed: number
  /** Those that have an anomaly which only snapshot isolation allows. */
  readonly notSerializable: number
  /** What the claimed isolation does not allow, with the seed; at most ten. */
  readonly faults: readonly string[]
}

export async function runHistories(
  count: number,
  isolation: Isolation,
  seed: number,
): Promise<HistorySummary> {
  const sums = { histories: 0, transactions: 0, committed: 0, notSerializable: 0 }
  const faults: string[] = []
  for (let from = 0; from < count; from += PER_STORE) {
    const histories = await makeHistories(Math.min(PER_STORE, count - from), isolation, seed + from)
    for (const [i, history] of histories.entries()) {
      const serial = findSerialFaults(history)
      const found = [
        ...findSnapshotFaults(history),
        ...(isolation === 'serializable' ? serial : []),
      ]
      sums.histories++
      sums.transactions += history.transactions.length
      sums.committed += history.transactions.filter(({ commitTs }) => commitTs !== undefined).length
      if (serial.length > 0) sums.notSerializable++
      for (const fault of found) {
        if (faults.length < 10) faults.push(`seed ${seed + from}, history ${i}: ${fault}`)
      }
    }
  }
  return { ...sums, faults }
}

async function makeHistories(
  histories: number,
  isolation: Isolation,
  seed: number,
): Promise<History[]> {
  using store = new MvccStore({
    maxMiB: 64,
    autoGc: { versionThreshold: 50, intervalSecs: 0.01 },
  })
  const barrier = new SharedArrayBuffer(4)
  const parts = await Promise.all(
    Array.from({ length: WORKERS }, async (_, worker) => {
      const workerData: ThreadData = {
        handle: store.handle,
        isolation,
        seed,
        worker,
        workers: WORKERS,
        histories,
        barrier,
      }
      const thread = new Worker(new URL('./history-thread.ts', import.meta.url), { workerData })
      const [recorded] = (await once(thread, 'message')) as [Transaction[][]]
      return recorded
    }),
  )
  using reader = store.beginReadOnly()
  return Array.from({ length: histories }, (_, history) => {
    const transactions = parts.flatMap((part) => part[history]!)
    const final = new Map<string, string | undefined>()
    for (const { operations } of transactions) {
      for (const { key } of operations) {
        const bytes = reader.read(key)
        final.set(key, bytes === undefined ? undefined : Buffer.from(bytes).toString())
      }
    }
    return { transactions, final }
  })
}
