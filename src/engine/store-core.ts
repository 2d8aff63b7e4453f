// What all parts of a store share in one thread: its memory, the tables over it, and the thread's number.
// Authority on attaching to a store, and on when a thread may be ended. Must not decide what is written.

import { ParallelError } from '../errors.ts'
import { type AtomicOperations, nativeAtomics } from '../memory/atomics.ts'
import { MOST_OWNERS, OWNER, STORE, storeControlWords } from '../memory/engine-layout.ts'
import { FreeLists } from '../memory/free-lists.ts'
import { SharedRegion } from '../memory/shared-region.ts'
import { ActiveTransactions } from '../mvcc/active-transactions.ts'
import { KeyTable } from '../mvcc/key-table.ts'
import { VersionChains } from '../mvcc/version-chains.ts'
import type { ResolvedStoreOptions } from './store-options.ts'

/** A store as a message can carry it: give it to a worker, which calls `MvccStore.attach`. */
export interface MvccStoreHandle {
  readonly control: SharedArrayBuffer
  readonly buckets: SharedArrayBuffer
  readonly region: SharedArrayBuffer
  readonly seed: number
  readonly slots: number
  /** When the store was made, in ms since 1970. */
  readonly bornAt: number
}

export interface StoreCore {
  readonly handle: MvccStoreHandle
  readonly atomics: AtomicOperations
  readonly control: Int32Array
  readonly blocks: FreeLists
  readonly keys: KeyTable
  readonly chains: VersionChains
  readonly active: ActiveTransactions
  /** This thread, among those that use the store. */
  readonly thread: AttachedThread
  /** Over once this thread has given the store up: its snapshots are protected no more. */
  readonly life: { isOver: boolean }
}

/** A thread's place in the store, and which attachment it is, over the life of the store. */
export interface AttachedThread {
  readonly owner: number
  readonly attachment: number
}

/** Memory of a new store. */
export function createHandle(options: ResolvedStoreOptions): MvccStoreHandle {
  const control = new SharedArrayBuffer(storeControlWords(options.maxTransactions) * 4)
  const words = new Int32Array(control)
  words[STORE.MOST_VERSIONS] = options.maxVersionsPerKey
  words[STORE.LIFE] = options.enableTimeBasedGc ? options.versionTtlSecs : 0
  const buckets = 2 ** Math.ceil(Math.log2(options.expectedKeys))
  return {
    control,
    buckets: new SharedArrayBuffer(buckets * 4),
    region: SharedRegion.create(options.maxMiB * 2 ** 20).buffer,
    seed: crypto.getRandomValues(new Int32Array(1))[0],
    slots: options.maxTransactions,
    bornAt: Date.now(),
  }
}

/** @throws ParallelError `DISPOSED`; `STORE_FULL` where too many threads are attached. */
export function openCore(
  handle: MvccStoreHandle,
  atomics: AtomicOperations = nativeAtomics,
): StoreCore {
  const control = new Int32Array(handle.control)
  if (atomics.load(control, STORE.DISPOSED) !== 0) throw disposed()
  const thread = claimOwner(atomics, control)
  const blocks = new FreeLists(atomics, control, new SharedRegion(handle.region, atomics))
  const buckets = new Int32Array(handle.buckets)
  return {
    handle,
    atomics,
    control,
    blocks,
    keys: new KeyTable(buckets, handle.seed, blocks, atomics),
    chains: new VersionChains(atomics, control, blocks),
    active: new ActiveTransactions(atomics, control, handle.slots, thread.owner),
    thread,
    life: { isOver: false },
  }
}

/** Runs `work`, during which nobody ends this thread. @throws ParallelError `DISPOSED` */
export function atWork<T>({ atomics, control, thread }: StoreCore, work: () => T): T {
  const word = STORE.OWNERS + thread.owner
  const [idle, busy] = [wordOf(thread, OWNER.IDLE), wordOf(thread, OWNER.AT_WORK)]
  if (atomics.compareExchange(control, word, idle, busy) !== idle) throw disposed()
  try {
    return work()
  } finally {
    atomics.store(control, word, idle)
    atomics.notify(control, word)
  }
}

/** This thread needs the store no more. Its open transactions are given up. */
export function closeCore(core: StoreCore): void {
  const { atomics, control, blocks, active, thread } = core
  core.life.isOver = true
  atWork(core, () => {
    blocks.giveAll()
    active.leaveAllOf(thread.owner)
  })
  const idle = wordOf(thread, OWNER.IDLE)
  atomics.compareExchange(control, STORE.OWNERS + thread.owner, idle, OWNER.FREE)
}

/**
 * Waits until a thread is not at work in the store, and keeps it from being so again: it may be ended
 * then. Call {@link forgetThread} when it has.
 */
export function holdThread({ atomics, control }: StoreCore, thread: AttachedThread): void {
  const word = STORE.OWNERS + thread.owner
  const busy = wordOf(thread, OWNER.AT_WORK)
  const [idle, ended] = [wordOf(thread, OWNER.IDLE), wordOf(thread, OWNER.ENDED)]
  while (atomics.compareExchange(control, word, idle, ended) === busy) {
    atomics.wait(control, word, busy, 10)
  }
}

/** A thread is no more: its transactions are given up. */
export function forgetThread(
  { atomics, control, active }: StoreCore,
  thread: AttachedThread,
): void {
  const word = STORE.OWNERS + thread.owner
  const state = atomics.load(control, word)
  if ((state & ~OWNER.MASK) !== wordOf(thread, 0)) return
  active.leaveAllOf(thread.owner)
  atomics.compareExchange(control, word, state, OWNER.FREE)
}

function wordOf({ attachment }: AttachedThread, state: number): number {
  return Math.imul(attachment, OWNER.ATTACHMENT) | state
}

/** The record's newest version is above `time`. */
export function isNewerThan(core: StoreCore, record: number, time: number): boolean {
  return core.chains.newestTime(record) > time
}

/** Whether whoever made the store has disposed of it, in whichever thread. */
export function isDisposed({ atomics, control }: StoreCore): boolean {
  return atomics.load(control, STORE.DISPOSED) !== 0
}

export function disposed(): ParallelError {
  return new ParallelError(
    'DISPOSED',
    'The store is disposed, or its thread was ended; make a new store, or dispose of it later',
  )
}

function claimOwner(atomics: AtomicOperations, control: Int32Array): AttachedThread {
  const attachment = atomics.add(control, STORE.ATTACHED, 1) + 1
  for (let owner = 0; owner < MOST_OWNERS; owner++) {
    const word = STORE.OWNERS + owner
    const idle = wordOf({ owner, attachment }, OWNER.IDLE)
    if (atomics.compareExchange(control, word, OWNER.FREE, idle) === OWNER.FREE) {
      return { owner, attachment }
    }
  }
  throw new ParallelError(
    'STORE_FULL',
    `${MOST_OWNERS} threads are attached to the store; dispose of those that need it no more`,
  )
}
