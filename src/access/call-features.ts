// Yes-or-no properties of a call that its branches may depend on: flags, zero amounts, token order.
// Authority on what each bit means; templates store masks of them, so the bits are part of the
// persisted form. Must be cheap: computed for a prediction where a template has learned conditions.
import type { TransactionFacts } from './transaction-facts.ts'
import { WORD } from './word.ts'

const ARGUMENTS = 12
const VALUE_BIT = 12
const ORDER_BIT = 13
const ORDERED = 6
const DATA_LENGTH_BIT = 19
const LENGTHS = 8

/** The bits that differ by intent: the order of two arguments mostly differs by chance. */
export const FLAG_FEATURES = (1 << ORDER_BIT) - 1

/**
 * Bits 0..11: argument k is not zero. Bit 12: value is sent. Bits 13..18: argument k is below argument
 * k + 1 (pools order their tokens). Bits 19..26: the calldata has this many words, modulo 8: where
 * arrays are passed, the length tells one arrangement of the arguments from another.
 */
export function featuresOf({ data, value }: TransactionFacts): number {
  let features = value === 0n ? 0 : 1 << VALUE_BIT
  for (let k = 0; k < ARGUMENTS; k++) {
    const at = 4 + WORD * k
    if (at >= data.length) break
    if (!isZero(data, at)) features |= 1 << k
  }
  for (let k = 0; k < ORDERED; k++) {
    const at = 4 + WORD * k
    if (at + 2 * WORD > data.length) break
    if (isBelow(data, at, at + WORD)) features |= 1 << (ORDER_BIT + k)
  }
  return features | (1 << (DATA_LENGTH_BIT + ((data.length >> 5) & (LENGTHS - 1))))
}

/** From the end, where small numbers have their digits. */
function isZero(data: Uint8Array, at: number): boolean {
  for (let i = Math.min(at + WORD, data.length) - 1; i >= at; i--) if (data[i] !== 0) return false
  return true
}

function isBelow(data: Uint8Array, one: number, other: number): boolean {
  for (let i = 0; i < WORD; i++) {
    const difference = data[one + i]! - data[other + i]!
    if (difference !== 0) return difference < 0
  }
  return false
}
