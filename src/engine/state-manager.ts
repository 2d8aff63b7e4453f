// A state over byte keys in the memory of one thread, with nested snapshots and events.
// Authority on what a rollback brings back. Must not be shared between threads: that is MvccStore's.
//
// A snapshot is a position in a log of what each write replaced, so making one costs the same however
// much there is, and going back costs what was written since.

import { ParallelError } from '../errors.ts'
import { type ByteKey, copyOfValue, keyBytes } from './key-bytes.ts'
import type { StateView } from './mvcc-transaction.ts'

/** Something that a transaction reports; it goes with the state if that is rolled back. */
export interface StateEvent {
  readonly topic: string
  readonly data?: unknown
}

/** Names a snapshot; never used again by the same state. */
export type SnapshotId = number

interface Undo {
  readonly key: string
  /** What stood there before; `undefined`: nothing. */
  readonly value: Uint8Array | undefined
}

interface Mark {
  readonly id: SnapshotId
  /** Length of the log, and number of events, when the snapshot was made. */
  readonly undo: number
  readonly events: number
}

export class StateManager implements StateView {
  readonly #values = new Map<string, Uint8Array>()
  readonly #undo: Undo[] = []
  readonly #events: StateEvent[] = []
  readonly #marks: Mark[] = []
  #nextId: SnapshotId = 1

  /** Keys that have a value. */
  get size(): number {
    return this.#values.size
  }

  /** A private copy of the value; `undefined`: there is none. */
  read(key: ByteKey): Uint8Array | undefined {
    return this.#values.get(nameOf(key))?.slice()
  }

  /** The value is copied. */
  write(key: ByteKey, value: Uint8Array): void {
    const name = nameOf(key)
    const copy = copyOfValue(value)
    this.#remember(name)
    this.#values.set(name, copy)
  }

  delete(key: ByteKey): void {
    const name = nameOf(key)
    this.#remember(name)
    this.#values.delete(name)
  }

  batchRead(keys: Iterable<ByteKey>): (Uint8Array | undefined)[] {
    return Array.from(keys, (key) => this.read(key))
  }

  /** All or none: nothing is written if one of them is not what it must be. */
  batchWrite(entries: Iterable<readonly [ByteKey, Uint8Array]>): void {
    const checked = Array.from(
      entries,
      ([key, value]) => [keyBytes(key), copyOfValue(value)] as const,
    )
    for (const [key, value] of checked) this.write(key, value)
  }

  /** All or none, like {@link batchWrite}. */
  batchDelete(keys: Iterable<ByteKey>): void {
    const checked = Array.from(keys, (key) => keyBytes(key))
    for (const key of checked) this.delete(key)
  }

  emitEvent(event: StateEvent): void {
    this.#events.push(event)
  }

  batchEmitEvents(events: Iterable<StateEvent>): void {
    for (const event of events) this.emitEvent(event)
  }

  /** Events that were not rolled back, in order. */
  get events(): readonly StateEvent[] {
    return this.#events.slice()
  }

  /** Takes the events that are there, once no snapshot can take them back. */
  takeEvents(): StateEvent[] {
    if (this.#marks.length > 0) {
      throw new ParallelError(
        'INVALID_ARGUMENT',
        'Events can be rolled back while a snapshot is open; commit or discard it first',
      )
    }
    return this.#events.splice(0)
  }

  /** Makes a snapshot inside of those that are open, and returns its id. */
  createSnapshot(): SnapshotId {
    const id = this.#nextId++
    this.#marks.push({ id, undo: this.#undo.length, events: this.#events.length })
    return id
  }

  /** Open snapshots. */
  get snapshotDepth(): number {
    return this.#marks.length
  }

  /**
   * Closes the innermost snapshot and keeps what happened since; the one around it can still undo it.
   * @throws ParallelError `UNKNOWN_SNAPSHOT` where none is open.
   */
  commit(): void {
    this.discard(this.#innermost())
  }

  /**
   * Goes back to the innermost snapshot, and closes it.
   * @throws ParallelError `UNKNOWN_SNAPSHOT` where none is open.
   */
  rollback(): void {
    this.rollbackTo(this.#innermost())
  }

  /**
   * Goes back to how everything was when the snapshot was made, and closes it with all inside of it.
   * @throws ParallelError `UNKNOWN_SNAPSHOT` for one that is not open.
   */
  rollbackTo(id: SnapshotId): void {
    const depth = this.#depthOf(id)
    const mark = this.#marks[depth]
    while (this.#undo.length > mark.undo) {
      const { key, value } = this.#undo.pop() as Undo
      if (value === undefined) this.#values.delete(key)
      else this.#values.set(key, value)
    }
    this.#events.length = mark.events
    this.#marks.length = depth
    if (depth === 0) this.#undo.length = 0
  }

  /**
   * Forgets a snapshot, at any depth, without undoing anything: one cannot go back to it any more.
   * @throws ParallelError `UNKNOWN_SNAPSHOT` for one that is not open.
   */
  discard(id: SnapshotId): void {
    this.#marks.splice(this.#depthOf(id), 1)
    if (this.#marks.length === 0) this.#undo.length = 0
  }

  #remember(name: string): void {
    if (this.#marks.length > 0) this.#undo.push({ key: name, value: this.#values.get(name) })
  }

  #innermost(): SnapshotId {
    const mark = this.#marks.at(-1)
    if (mark !== undefined) return mark.id
    throw new ParallelError(
      'UNKNOWN_SNAPSHOT',
      'No snapshot is open; make one with createSnapshot()',
    )
  }

  #depthOf(id: SnapshotId): number {
    // From the inside, where the one that is meant mostly is.
    const depth = this.#marks.findLastIndex((mark) => mark.id === id)
    if (depth !== -1) return depth
    const open = this.#marks.map((mark) => mark.id).join(', ') || 'none'
    throw new ParallelError(
      'UNKNOWN_SNAPSHOT',
      `Snapshot ${id} is not open (open: ${open}); each id is good until it is committed, discarded or rolled back`,
    )
  }
}

/** Keys that have the same bytes have the same name. */
function nameOf(key: ByteKey): string {
  const { buffer, byteOffset, byteLength } = keyBytes(key)
  return Buffer.from(buffer, byteOffset, byteLength).toString('latin1')
}
