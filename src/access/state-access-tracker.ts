// Records what a transaction accesses while it runs, with the checkpoints that it reverts.
// Authority on what counts as an access of a run: what it observed from outside of itself, and what
// it left behind. Must not touch state.

import { ParallelError } from '../errors.ts'
import { ACCESS, type AccessFlags } from './access-flags.ts'
import { type Key, type KeyInput, type PrefixInput, toKey } from './key.ts'
import { ReadWriteSet } from './read-write-set.ts'

const WRITING = ACCESS.WRITE | ACCESS.DELTA

/** What was known of a key before a write, for a revert. */
interface Undo<K> {
  readonly key: K
  readonly written: AccessFlags
  readonly isPrefix: boolean
}

/**
 * Records reads and writes while something runs.
 *
 * A read of a key that the run itself has written observes nothing from outside, and is not one. A
 * write that is reverted leaves nothing behind; a read stays a read, because what was read may have
 * decided everything since. Prefixes hide nothing: after `recordWritePrefix`, reads are still reads.
 */
export class StateAccessTracker<K extends Key = string> {
  readonly #accesses = new Map<K, AccessFlags>()
  readonly #prefixes = new Map<string, AccessFlags>()
  readonly #undo: Undo<Key>[] = []
  /** Length of the undo list at each open checkpoint. */
  readonly #checkpoints: number[] = []
  #set: ReadWriteSet<K> | undefined

  recordRead(key: KeyInput<K>): void {
    const name = toKey<K>(key)
    const flags = this.#accesses.get(name) ?? 0
    // Where it only added, the sum shows the value below.
    if ((flags & (ACCESS.WRITE | ACCESS.READ)) === 0) this.#put(name, flags | ACCESS.READ)
  }

  recordWrite(key: KeyInput<K>): void {
    const name = toKey<K>(key)
    const flags = this.#accesses.get(name) ?? 0
    if ((flags & ACCESS.WRITE) !== 0) return
    this.#remember(name, flags, false)
    // The additions before it are overwritten with the rest.
    this.#put(name, (flags & ACCESS.READ) | ACCESS.WRITE)
  }

  /** An addition to a value that the run does not look at. */
  recordDelta(key: KeyInput<K>): void {
    const name = toKey<K>(key)
    const flags = this.#accesses.get(name) ?? 0
    if ((flags & WRITING) !== 0) return
    this.#remember(name, flags, false)
    this.#put(name, flags | ACCESS.DELTA)
  }

  recordReadPrefix(prefix: PrefixInput<K>): void {
    this.#putPrefix(toKey(prefix), ACCESS.READ)
  }

  recordWritePrefix(prefix: PrefixInput<K>): void {
    const name = toKey<string>(prefix)
    this.#remember(name, this.#prefixes.get(name) ?? 0, true)
    this.#putPrefix(name, ACCESS.WRITE)
  }

  /** Opens a checkpoint; they nest. */
  checkpoint(): void {
    this.#checkpoints.push(this.#undo.length)
  }

  /**
   * Closes the innermost checkpoint and keeps what was written since.
   * @throws ParallelError `INVALID_ARGUMENT` where none is open.
   */
  commit(): void {
    this.#closeCheckpoint()
    if (this.#checkpoints.length === 0) this.#undo.length = 0
  }

  /**
   * Closes the innermost checkpoint and forgets what was written since.
   * @throws ParallelError `INVALID_ARGUMENT` where none is open.
   */
  revert(): void {
    const length = this.#closeCheckpoint()
    while (this.#undo.length > length) {
      const { key, written, isPrefix } = this.#undo.pop()!
      const accesses: Map<Key, AccessFlags> = isPrefix ? this.#prefixes : this.#accesses
      const flags = (accesses.get(key)! & ACCESS.READ) | written
      if (flags === 0) accesses.delete(key)
      else accesses.set(key, flags)
    }
    this.#set = undefined
  }

  /** Forgets everything, checkpoints too, for the next run. */
  clear(): void {
    this.#accesses.clear()
    this.#prefixes.clear()
    this.#undo.length = 0
    this.#checkpoints.length = 0
    this.#set = undefined
  }

  /** What was recorded until now. It does not change with what is recorded later. */
  get readWriteSet(): ReadWriteSet<K> {
    this.#set ??= this.#toSet()
    return this.#set
  }

  /** Whether the order of this run and the other matters, by what was recorded until now. */
  hasConflictWith(other: StateAccessTracker<K> | ReadWriteSet<K>): boolean {
    const set = other instanceof StateAccessTracker ? other.readWriteSet : other
    return this.readWriteSet.hasConflictWith(set)
  }

  #put(key: K, flags: AccessFlags): void {
    this.#accesses.set(key, flags)
    this.#set = undefined
  }

  #putPrefix(prefix: string, access: AccessFlags): void {
    this.#prefixes.set(prefix, (this.#prefixes.get(prefix) ?? 0) | access)
    this.#set = undefined
  }

  #remember(key: Key, flags: AccessFlags, isPrefix: boolean): void {
    if (this.#checkpoints.length > 0) this.#undo.push({ key, written: flags & WRITING, isPrefix })
  }

  #closeCheckpoint(): number {
    const length = this.#checkpoints.pop()
    if (length === undefined) {
      throw new ParallelError('INVALID_ARGUMENT', 'No checkpoint is open')
    }
    return length
  }

  #toSet(): ReadWriteSet<K> {
    const set = new ReadWriteSet<K>()
    for (const [key, flags] of this.#accesses) {
      if ((flags & ACCESS.READ) !== 0) set.addRead(key)
      if ((flags & ACCESS.WRITE) !== 0) set.addWrite(key)
      if ((flags & ACCESS.DELTA) !== 0) set.addDelta(key)
    }
    for (const [prefix, flags] of this.#prefixes) {
      const name = prefix as PrefixInput<K>
      if ((flags & ACCESS.READ) !== 0) set.addReadPrefix(name)
      if ((flags & ACCESS.WRITE) !== 0) set.addWritePrefix(name)
    }
    return set
  }
}
