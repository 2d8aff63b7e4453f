// The store of versions in shared memory, as its users see it: transactions, collection, statistics.
// Authority on its life, here and in other threads. How versions lie and when they go is said below it.

import { ParallelError } from '../errors.ts'
import { STORE } from '../memory/engine-layout.ts'
import { AutoCollector, type Pace } from './auto-collector.ts'
import { collect, type GcStats, statsOf } from './collector.ts'
import { type BeginOptions, MvccTransaction } from './mvcc-transaction.ts'
import { OpenWatch } from './open-watch.ts'
import {
  atWork,
  closeCore,
  createHandle,
  disposed,
  isDisposed,
  type MvccStoreHandle,
  openCore,
  type StoreCore,
} from './store-core.ts'
import {
  type AutoGcConfig,
  type MvccStoreOptions,
  resolveAutoGc,
  resolveStoreOptions,
} from './store-options.ts'

/** The inside of a store, for the schedulers. */
export let coreOf: (store: MvccStore) => StoreCore

/** Tells the constructor to use a store that is there. */
class Attached {
  readonly handle: MvccStoreHandle

  constructor(handle: MvccStoreHandle) {
    this.handle = handle
  }
}

/**
 * Keys and values with their versions, in memory that threads share. Each transaction reads the snapshot
 * of its start, takes no lock for that, and commits unless another one that it overlaps with was first.
 *
 * Give `store.handle` to a worker and call `MvccStore.attach(handle)` there.
 */
export class MvccStore implements Disposable {
  static {
    coreOf = (store) => store.#core
  }

  readonly #core: StoreCore
  readonly #watch: OpenWatch
  readonly #isOwner: boolean
  #auto: AutoCollector | undefined
  #isDisposed = false

  /** @throws ParallelError `INVALID_OPTION` */
  constructor(options?: MvccStoreOptions) {
    const from = options instanceof Attached ? options : undefined
    const resolved = resolveStoreOptions(from === undefined ? options : undefined)
    this.#isOwner = from === undefined
    this.#core = openCore(from?.handle ?? createHandle(resolved))
    const { active } = this.#core
    this.#watch = new OpenWatch((open) => active.leave(open))
    if (resolved.autoGc !== undefined) this.startAutoGc(resolved.autoGc)
    if (!this.#isOwner) disposeAtExit(this)
  }

  /**
   * The store of `handle` in this thread. Dispose of it when the thread needs it no more; the store
   * itself stays.
   * @throws ParallelError `DISPOSED`, `INVALID_ARGUMENT`; `STORE_FULL` where 256 are attached.
   */
  static attach(handle: MvccStoreHandle): MvccStore {
    const parts = [handle?.control, handle?.buckets, handle?.region]
    if (!parts.every((part) => part instanceof SharedArrayBuffer)) {
      throw new ParallelError(
        'INVALID_ARGUMENT',
        'MvccStore.attach takes the handle of a store: pass store.handle to the worker',
      )
    }
    return new MvccStore(new Attached(handle) as object)
  }

  /** The store as a message can carry it. */
  get handle(): MvccStoreHandle {
    return this.#core.handle
  }

  /** Begins a transaction. @throws ParallelError `DISPOSED`; `STORE_FULL` where too many are open. */
  begin(options?: BeginOptions): MvccTransaction {
    this.#mustLive()
    return new MvccTransaction(this.#core, this.#watch, false, options)
  }

  /**
   * Begins a transaction that refuses to write, keeps no account of what it reads, and never conflicts.
   * @throws ParallelError as {@link begin}
   */
  beginReadOnly(): MvccTransaction {
    this.#mustLive()
    return new MvccTransaction(this.#core, this.#watch, true)
  }

  /**
   * Removes versions that nobody can read any more; returns how many. In order: the newest version of
   * each key stays; so does what an open transaction may read, that is the newest version at or below
   * the smallest time that one sees, and all above; of the rest as many as `maxVersionsPerKey` allows,
   * if they are not older than `versionTtlSecs` where that counts. 0 if another thread collects.
   */
  gc(): number {
    this.#mustLive()
    return atWork(this.#core, () => collect(this.#core, false))
  }

  getGcStats(): GcStats {
    this.#mustLive()
    return statsOf(this.#core)
  }

  /** Versions in the store, deletions among them. */
  totalVersions(): number {
    this.#mustLive()
    return this.#core.atomics.load(this.#core.control, STORE.VERSIONS)
  }

  /** Keys that were ever committed, deleted ones too. */
  totalKeys(): number {
    this.#mustLive()
    return this.#core.atomics.load(this.#core.control, STORE.KEYS)
  }

  /** The smallest time that an open transaction sees; `undefined`: none is open. */
  getMinActiveTs(): number | undefined {
    this.#mustLive()
    return this.#core.active.smallestTime()
  }

  /** Open transactions, in all threads. */
  activeTransactions(): number {
    this.#mustLive()
    return this.#core.active.count()
  }

  /**
   * Collects from now on without being asked: by a timer of this thread, which does not keep the process
   * alive, and in whichever thread a commit passes `versionThreshold`. Called again, it starts anew.
   * @throws ParallelError `INVALID_OPTION`
   */
  startAutoGc(config?: AutoGcConfig): void {
    this.#mustLive()
    const resolved = resolveAutoGc(config)
    this.stopAutoGc()
    const core = this.#core
    this.#auto = new AutoCollector(
      {
        collect: () => atWork(core, () => collect(core, true)),
        setThreshold: (versions) => core.atomics.store(core.control, STORE.THRESHOLD, versions),
        totals: () => {
          const { versions, versionsRemoved } = statsOf(core)
          return { written: versions + versionsRemoved, removed: versionsRemoved }
        },
      },
      resolved,
    )
  }

  /** Does nothing where this object does not collect automatically. */
  stopAutoGc(): void {
    this.#auto?.stop()
    this.#auto = undefined
  }

  get isAutoGcRunning(): boolean {
    return this.#auto !== undefined
  }

  /** Interval and threshold as they are now; `undefined` while automatic collection is off. */
  get autoGcPace(): Pace | undefined {
    return this.#auto?.pace
  }

  /**
   * Changes what is named; the rest stays. Adaptation begins again from there.
   * @throws ParallelError `INVALID_OPTION`; `INVALID_ARGUMENT` where automatic collection is off.
   */
  updateAutoGcConfig(config: AutoGcConfig): void {
    this.#mustLive()
    if (this.#auto === undefined) {
      throw new ParallelError('INVALID_ARGUMENT', 'Automatic collection is off; use startAutoGc')
    }
    this.#auto.update(config)
  }

  /**
   * Ends the use of the store: where it was made of the store itself, in all threads; elsewhere in this
   * thread alone, whose open transactions are given up. Does nothing the second time.
   */
  dispose(): void {
    if (this.#isDisposed) return
    this.stopAutoGc()
    this.#isDisposed = true
    if (attached.delete(this) && attached.size === 0) process.off('exit', disposeAll)
    const { atomics, control } = this.#core
    if (this.#isOwner) atomics.store(control, STORE.DISPOSED, 1)
    closeCore(this.#core)
  }

  [Symbol.dispose](): void {
    this.dispose()
  }

  #mustLive(): void {
    if (this.#isDisposed || isDisposed(this.#core)) throw disposed()
  }
}

/** Stores that are attached in this thread. */
const attached = new Set<MvccStore>()

/** A thread that ends leaves nothing open that others would have to keep versions for. */
function disposeAtExit(store: MvccStore): void {
  if (attached.size === 0) process.once('exit', disposeAll)
  attached.add(store)
}

function disposeAll(): void {
  for (const store of attached) store.dispose()
}
