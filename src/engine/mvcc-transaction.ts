// One transaction on a store: what it reads, what it has written, and how it ends.
// Authority on what a transaction sees of itself; what it sees of others is the store's versions' to say.

import type { StateAccessTracker } from '../access/state-access-tracker.ts'
import { ParallelError } from '../errors.ts'
import type { OpenSlot } from '../mvcc/active-transactions.ts'
import { collect, isDue } from './collector.ts'
import { commitWrites } from './commit-writes.ts'
import { type ByteKey, copyOfValue, keyBytes } from './key-bytes.ts'
import type { OpenWatch, Watched } from './open-watch.ts'
import { atWork, disposed, isDisposed, isNewerThan, type StoreCore } from './store-core.ts'
import { checkIsolation, checkNames } from './store-options.ts'

/**
 * - `snapshot`: the transaction reads the store as it was when it began, and fails if a key that it
 *   writes was committed since. Two transactions that each read what the other writes can both commit.
 * - `serializable`: it fails also if a key that it read was committed since. All that commit so are as
 *   if they had run one after the other, in the order of their commits.
 */
export type Isolation = 'snapshot' | 'serializable'

/** What a transaction function gets: a state to read and write. */
export interface StateView {
  /** A private copy of the value; `undefined`: there is none. */
  read(key: ByteKey): Uint8Array | undefined
  /** @throws ParallelError `READ_ONLY` */
  write(key: ByteKey, value: Uint8Array): void
  /** @throws ParallelError `READ_ONLY` */
  delete(key: ByteKey): void
}

export interface BeginOptions {
  /** Default `snapshot`. */
  isolation?: Isolation
  /** Told of every read and write. */
  tracker?: StateAccessTracker
}

/** Made by `MvccStore.begin` and `beginReadOnly`. Every method but `abort` throws once it has ended. */
export class MvccTransaction implements StateView, Disposable {
  /** It refuses writes, and its end checks nothing. */
  readonly isReadOnly: boolean
  readonly #core: StoreCore
  readonly #watch: OpenWatch
  readonly #watched: Watched
  readonly #open: OpenSlot
  readonly #reads: Set<number> | undefined
  readonly #tracker: StateAccessTracker | undefined
  #writes: Map<number, Uint8Array | undefined> | undefined
  #state: 'open' | 'committed' | 'aborted' = 'open'

  constructor(core: StoreCore, watch: OpenWatch, isReadOnly: boolean, options?: BeginOptions) {
    if (options !== undefined) checkBeginOptions(options)
    this.#core = core
    this.#watch = watch
    this.isReadOnly = isReadOnly
    this.#reads = options?.isolation === 'serializable' ? new Set() : undefined
    this.#tracker = options?.tracker
    this.#open = core.active.enter()
    this.#watched = watch.add(this, this.#open)
  }

  /** The time of the last commit that it sees. */
  get startTs(): number {
    return this.#open.time
  }

  get isOpen(): boolean {
    return this.#state === 'open'
  }

  /**
   * @throws ParallelError `TRANSACTION_ENDED`, `DISPOSED`; `STORE_FULL` with isolation `serializable`, which
   * has to remember keys that are not there.
   */
  read(key: ByteKey): Uint8Array | undefined {
    this.#mustBeOpen()
    const { keys, chains } = this.#core
    const bytes = keyBytes(key)
    this.#tracker?.recordRead(bytes)
    // Who must notice that a key comes into being needs a record of it.
    const record = this.#reads === undefined ? keys.find(bytes) : keys.intern(bytes)
    if (record === 0) return undefined
    if (this.#writes?.has(record)) return this.#writes.get(record)?.slice()
    this.#reads?.add(record)
    return chains.read(record, this.#open.time)
  }

  /** The value is copied. @throws ParallelError `TRANSACTION_ENDED`, `READ_ONLY`, `STORE_FULL` */
  write(key: ByteKey, value: Uint8Array): void {
    this.#put(key, copyOfValue(value))
  }

  /** @throws ParallelError `TRANSACTION_ENDED`, `READ_ONLY`, `STORE_FULL` */
  delete(key: ByteKey): void {
    this.#put(key, undefined)
  }

  /**
   * Ends it, and makes its writes visible to all that begin later, at once. Returns the time of the
   * commit, or where nothing was written of its snapshot. It has ended also if this throws.
   * @throws WriteConflictError if another one was first; ParallelError `TRANSACTION_ENDED`, `STORE_FULL`,
   * `DISPOSED`.
   */
  commit(): number {
    this.#mustBeOpen()
    // Somebody else may have ended the store: this thread's snapshots stay, but nothing is to be written.
    if (isDisposed(this.#core)) {
      this.#end('aborted')
      throw disposed()
    }
    let time = this.#open.time
    try {
      if (this.#writes !== undefined && this.#writes.size > 0) {
        time = commitWrites(this.#core, time, this.#writes, this.#reads)
      }
      // Without writes it is as if it had run at its start: that is no conflict with anybody.
    } catch (error) {
      this.#end('aborted')
      throw error
    }
    this.#end('committed')
    if (this.#writes !== undefined && isDue(this.#core)) {
      atWork(this.#core, () => collect(this.#core, true))
    }
    return time
  }

  /**
   * Whether everything that it has read is still as it saw it, now.
   * @throws ParallelError `TRANSACTION_ENDED`; `INVALID_ARGUMENT` without isolation `serializable`.
   */
  isCurrent(): boolean {
    this.#mustBeOpen()
    if (this.#reads === undefined) {
      throw new ParallelError(
        'INVALID_ARGUMENT',
        "Only a transaction that was begun with isolation 'serializable' knows what it has read",
      )
    }
    for (const record of this.#reads) {
      if (isNewerThan(this.#core, record, this.#open.time)) return false
    }
    return true
  }

  /** Ends it without a trace. Does nothing where it has ended. */
  abort(): void {
    if (this.#state === 'open') this.#end('aborted')
  }

  /** Aborts it if it is open: the end of a `using` block. */
  [Symbol.dispose](): void {
    this.abort()
  }

  #put(key: ByteKey, value: Uint8Array | undefined): void {
    this.#mustBeOpen()
    if (this.isReadOnly) {
      throw new ParallelError(
        'READ_ONLY',
        'The transaction is read-only; to write, start it with begin() instead of beginReadOnly()',
      )
    }
    const bytes = keyBytes(key)
    this.#tracker?.recordWrite(bytes)
    this.#writes ??= new Map()
    this.#writes.set(this.#core.keys.intern(bytes), value)
  }

  #end(state: 'committed' | 'aborted'): void {
    this.#state = state
    this.#watch.remove(this.#watched)
    this.#core.active.leave(this.#open)
  }

  #mustBeOpen(): void {
    if (this.#core.life.isOver) throw disposed()
    if (this.#state === 'open') return
    throw new ParallelError(
      'TRANSACTION_ENDED',
      `The transaction was ${this.#state} already; begin another one`,
    )
  }
}

/** A word that is mistyped must not weaken the isolation. @throws ParallelError `INVALID_OPTION` */
function checkBeginOptions(options: BeginOptions): void {
  checkNames(options, ['isolation', 'tracker'])
  checkIsolation(options.isolation)
}
