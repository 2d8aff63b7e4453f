// Where predicted accesses go: one call per state location, in bytes.
// Authority on what a location is to a predictor and on what the kinds of access mean.
// Must not keep anything: the executor implements it on interned locations, tests on a set.

/**
 * How a transaction touches a location, at its strongest.
 *
 * - `read`: looked at, and left as it is.
 * - `write`: given a value that may differ, and perhaps looked at before: `SSTORE` looks at the old
 *   value for its gas, so a written slot was always read.
 * - `delta`: a balance that grows without being looked at (the fee of the coinbase, value received).
 *   Two deltas do not conflict; a delta conflicts with a read and with a write.
 */
export type AccessKind = 'read' | 'write' | 'delta'

/** The fields of an account that are touched apart from each other, and its storage slots. */
export type LocationField = 'balance' | 'nonce' | 'code' | 'existence' | 'slot'

/**
 * How sure a prediction is, in per cent: an integer, so that it stays off the heap.
 * What the protocol demands is 100.
 */
export type Confidence = number

/** The protocol leaves no choice. */
export const CERTAIN: Confidence = 100
/** The transaction names it, and need not use it so: EIP-2930 lists, authorizations. */
export const DECLARED: Confidence = 50

/**
 * Takes predicted accesses. A location may come several times; the strongest kind counts, and a read
 * together with a delta is a write.
 *
 * `address` (20 bytes) and `key` (32 bytes) are valid during the call only: the predictor reuses them.
 * Looking at any field of an account looks at its existence too; that is not reported. `existence`
 * is reported where an account may come to be.
 */
export interface AccessSink {
  balance(address: Uint8Array, kind: AccessKind, confidence: Confidence): void
  nonce(address: Uint8Array, kind: AccessKind, confidence: Confidence): void
  code(address: Uint8Array, kind: AccessKind, confidence: Confidence): void
  existence(address: Uint8Array, kind: AccessKind, confidence: Confidence): void
  slot(address: Uint8Array, key: Uint8Array, kind: AccessKind, confidence: Confidence): void
}

/** The kind that covers both. */
export function strongerKind(one: AccessKind, other: AccessKind): AccessKind {
  return one === other ? one : 'write'
}
