// What one finished execution touched, as templates learn it.
// Authority on the form in which executors hand it over. Only committed executions may be handed over:
// a speculative one has seen values that never were.
import type { AccessKind, LocationField } from './access-sink.ts'

/** One location that a call touched, at its strongest within that call. */
export interface ObservedAccess {
  readonly field: LocationField
  /** 20 bytes. */
  readonly address: Uint8Array
  /** 32 bytes for a slot, else absent. */
  readonly key?: Uint8Array
  readonly kind: AccessKind
  /**
   * For a slot: what it held before the transaction touched it, at most 32 bytes; absent if unknown.
   */
  readonly value?: Uint8Array
  /** The call that touched it: 0 for the outermost (the default), i + 1 for `calls[i]`. */
  readonly call?: number
}

/** One KECCAK256 that the EVM computed. Preimages of up to 256 bytes are of use. */
export interface ObservedHash {
  /** 32 bytes. */
  readonly hash: Uint8Array
  readonly preimage: Uint8Array
}

/** A message call that the transaction's execution made. */
export interface ObservedCall {
  /** The call that made it, numbered as in {@link ObservedAccess.call}. */
  readonly parent: number
  /** How many of `accesses` were there when it began. */
  readonly after: number
  /** `msg.sender` within it, 20 bytes. */
  readonly sender: Uint8Array
  /** `address(this)` within it: whose storage it uses. */
  readonly account: Uint8Array
  /** Where its code is: the same, but for DELEGATECALL and CALLCODE. */
  readonly codeAccount: Uint8Array
  /** Of `codeAccount`, 32 bytes; absent for accounts without code, precompiles, and creations. */
  readonly codeHash?: Uint8Array
  readonly data: Uint8Array
  /** Whether it sends value; a DELEGATECALL does not. */
  readonly sendsValue: boolean
  /** Whether it runs the code that makes an account: nothing is learned from it. */
  readonly isCreation: boolean
}

export interface Observation {
  /**
   * In the order in which each was first touched. The order matters: where a transaction went is
   * explained by what it had read before. A location that several calls touched is listed once for
   * each. Reads of `existence` may be left out, and so may the code of what is called.
   */
  readonly accesses: readonly ObservedAccess[]
  /** In any order; repetitions do no harm. */
  readonly hashes: readonly ObservedHash[]
  /**
   * The calls that it made, in the order in which they began. With them, each function's template says
   * what it touches itself and which functions it calls, so that a token's transfer is learned once for
   * all routers that call it. Absent: not recorded; then one template holds all that is touched.
   */
  readonly calls?: readonly ObservedCall[]
}
