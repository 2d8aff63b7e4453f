// What one finished execution touched, as templates learn it.
// Authority on the form in which executors hand it over. Only committed executions may be handed over:
// a speculative one has seen values that never were.
import type { AccessKind, LocationField } from './access-sink.ts'

/** One location that the transaction touched, at its strongest. */
export interface ObservedAccess {
  readonly field: LocationField
  /** 20 bytes. */
  readonly address: Uint8Array
  /** 32 bytes for a slot, else absent. */
  readonly key?: Uint8Array
  readonly kind: AccessKind
  /** For a slot: what it held before the transaction touched it, at most 32 bytes; absent if unknown. */
  readonly value?: Uint8Array
}

/** One KECCAK256 that the EVM computed. Preimages of up to 256 bytes are of use. */
export interface ObservedHash {
  /** 32 bytes. */
  readonly hash: Uint8Array
  readonly preimage: Uint8Array
}

export interface Observation {
  /**
   * In the order in which each was first touched. The order matters: where a transaction went is
   * explained by what it had read before. Reads of `existence` may be left out.
   */
  readonly accesses: readonly ObservedAccess[]
  /** In any order; repetitions do no harm. */
  readonly hashes: readonly ObservedHash[]
}
