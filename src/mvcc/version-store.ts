// The versions that the transactions of one block write: publish, resolve, mark as estimates, remove.
// Authority on what a reader at a position of the block sees of the transactions before it; knows
// nothing of base values (the caller's) nor of who runs when (the scheduler's).
//
// A version of (location, transaction):
//
//   absent --publish--> value(incarnation) --estimate--> estimate(incarnation) --publish--> value(incarnation + 1)
//                                |                               |
//                                +------------ withdraw ---------+--> withdrawn (skipped by readers)
//
// Incarnation -1 is what the block's access list says, published by the main thread before any other.
// One node per location and transaction, for the whole block; only its payload word changes, and only
// the worker that holds the transaction's status (executing or aborting) changes it.

import type { BlockOffset, Incarnation, LocationId, TxIndex } from '../ids.ts'
import { BASE_WRITER } from '../ids.ts'
import type { AtomicOperations } from '../memory/atomics.ts'
import {
  CONTROL,
  LOCATION,
  type LocationKind,
  NODE,
  PAYLOAD,
  TOUCHED,
  VERSION_KIND,
} from '../memory/layout.ts'
import type { RegionAllocator, SharedRegion } from '../memory/shared-region.ts'
import { readUint256 } from '../memory/word-codec.ts'

/** What {@link VersionStore.find} found. */
export const FOUND = {
  /** No transaction below the reader wrote the location: the base value holds. */
  BASE: 0,
  /** `writer`, `incarnation` and `payload` describe the version. */
  VERSION: 1,
  /** The highest version below the reader is an estimate: `writer` will be executed again. */
  ESTIMATE: 2,
} as const
export type Found = (typeof FOUND)[keyof typeof FOUND]

const ESTIMATE_BIT = 1

export class VersionStore {
  /** Describes what the last {@link find} or {@link sumBalance} found; read it at once. */
  writer: number = BASE_WRITER
  incarnation = 0
  payload = 0
  /** The balance that the last {@link sumBalance} added up, without the base where `needsBase`. */
  sum = 0n
  needsBase = false
  /** Kind of location that the last failed validation of a read set found changed. */
  refutedKind: LocationKind = LOCATION.EXISTS

  readonly state: SharedRegion
  readonly block: SharedRegion
  readonly #control: Int32Array
  readonly #allocator: RegionAllocator
  readonly #atomics: AtomicOperations

  constructor(
    control: Int32Array,
    state: SharedRegion,
    block: SharedRegion,
    allocator: RegionAllocator,
    atomics: AtomicOperations,
  ) {
    this.#control = control
    this.state = state
    this.block = block
    this.#allocator = allocator
    this.#atomics = atomics
  }

  /** Finds the version of `location` that a reader at position `reader` sees. */
  find(location: LocationId, reader: TxIndex): Found {
    const atomics = this.#atomics
    let node = atomics.load(this.state.reach(location), location)
    while (node !== 0) {
      const words = this.block.reach(node + NODE.WORDS)
      const transaction = words[node + NODE.TRANSACTION]
      if (transaction < reader) {
        const payload = atomics.load(words, node + NODE.PAYLOAD)
        if (payload !== 0) return this.#describe(transaction, payload)
      }
      node = atomics.load(words, node + NODE.NEXT)
    }
    this.writer = BASE_WRITER
    this.incarnation = 0
    this.payload = 0
    return FOUND.BASE
  }

  /**
   * Adds up a balance as a reader at `reader` sees it: additions down to the highest replacement, or
   * to the base. `writer` is then the highest writer that contributed.
   */
  sumBalance(location: LocationId, reader: TxIndex): Found {
    const atomics = this.#atomics
    this.sum = 0n
    this.needsBase = true
    let highest: number = BASE_WRITER
    let node = atomics.load(this.state.reach(location), location)
    while (node !== 0) {
      const words = this.block.reach(node + NODE.WORDS)
      const transaction = words[node + NODE.TRANSACTION]
      if (transaction < reader) {
        const payload = atomics.load(words, node + NODE.PAYLOAD)
        if (payload !== 0) {
          if (this.#describe(transaction, payload) === FOUND.ESTIMATE) return FOUND.ESTIMATE
          if (highest === BASE_WRITER) highest = transaction
          const at = this.payload
          const payloadWords = this.block.reach(at + PAYLOAD.VALUE + 8)
          this.sum += readUint256(payloadWords, at + PAYLOAD.VALUE)
          if (payloadWords[at + PAYLOAD.KIND] === VERSION_KIND.SET) {
            this.needsBase = false
            break
          }
        }
      }
      node = atomics.load(words, node + NODE.NEXT)
    }
    this.writer = highest
    return highest === BASE_WRITER ? FOUND.BASE : FOUND.VERSION
  }

  /**
   * Reserves a payload with `valueWords` words of value; the caller writes the value, then calls
   * {@link publish}.
   */
  allocatePayload(incarnation: Incarnation, kind: number, valueWords: number): BlockOffset {
    const at = this.#allocator.allocate(PAYLOAD.HEADER_WORDS + valueWords)
    const words = this.block.reach(at + PAYLOAD.HEADER_WORDS + valueWords)
    words[at + PAYLOAD.INCARNATION] = incarnation
    words[at + PAYLOAD.KIND] = kind
    return at as BlockOffset
  }

  /** Makes `payload` the version of `transaction` at `location`; returns the version's node. */
  publish(
    location: LocationId,
    kind: LocationKind,
    transaction: TxIndex,
    payload: BlockOffset,
  ): BlockOffset {
    const atomics = this.#atomics
    const state = this.state.reach(location)
    let created = 0
    for (;;) {
      // The list only ever gains nodes, so a position found stays a position: on a lost race the
      // search goes on from the start, which is short because lists are short near their head.
      let previousWords: Int32Array = state
      let previousIndex: number = location
      let next = atomics.load(previousWords, previousIndex)
      const wasEmpty = next === 0
      while (next !== 0) {
        const words = this.block.reach(next + NODE.WORDS)
        const other = words[next + NODE.TRANSACTION]
        if (other === transaction) {
          atomics.store(words, next + NODE.PAYLOAD, payload << 1)
          return next as BlockOffset
        }
        if (other < transaction) break
        previousWords = words
        previousIndex = next + NODE.NEXT
        next = atomics.load(previousWords, previousIndex)
      }
      if (created === 0) created = this.#allocator.allocate(NODE.WORDS)
      const words = this.block.reach(created + NODE.WORDS)
      words[created + NODE.TRANSACTION] = transaction
      words[created + NODE.NEXT] = next
      words[created + NODE.PAYLOAD] = payload << 1
      if (atomics.compareExchange(previousWords, previousIndex, next, created) === next) {
        if (wasEmpty) this.#remember(location, kind)
        return created as BlockOffset
      }
    }
  }

  /** Turns a version into an estimate: readers above wait for the next incarnation. */
  markEstimate(node: BlockOffset): void {
    const words = this.block.reach(node + NODE.WORDS)
    const payload = this.#atomics.load(words, node + NODE.PAYLOAD)
    if (payload !== 0) this.#atomics.store(words, node + NODE.PAYLOAD, payload | ESTIMATE_BIT)
  }

  /** Removes a version: its transaction no longer writes the location. */
  withdraw(node: BlockOffset): void {
    this.#atomics.store(this.block.reach(node + NODE.WORDS), node + NODE.PAYLOAD, 0)
  }

  #describe(transaction: number, payload: number): Found {
    this.writer = transaction
    this.payload = payload >>> 1
    if ((payload & ESTIMATE_BIT) !== 0) return FOUND.ESTIMATE
    this.incarnation = this.block.reach(this.payload + PAYLOAD.VALUE)[
      this.payload + PAYLOAD.INCARNATION
    ]
    return FOUND.VERSION
  }

  /** Puts the location on the list that the main thread walks after the block. */
  #remember(location: LocationId, kind: LocationKind): void {
    const entry = this.#allocator.allocate(TOUCHED.WORDS)
    const words = this.block.reach(entry + TOUCHED.WORDS)
    words[entry + TOUCHED.LOCATION] = location
    words[entry + TOUCHED.KIND] = kind
    for (;;) {
      const head = this.#atomics.load(this.#control, CONTROL.TOUCHED_LOCATIONS)
      words[entry + TOUCHED.NEXT] = head
      const seen = this.#atomics.compareExchange(
        this.#control,
        CONTROL.TOUCHED_LOCATIONS,
        head,
        entry,
      )
      if (seen === head) return
    }
  }
}
