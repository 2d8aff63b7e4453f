// Holds the layout to itself: no two things lie in the same words, and each lies within its part.
// Must not repeat offsets: it knows sizes and asks for places.
import { describe, expect, it } from 'vitest'

import {
  ACCOUNT,
  BLOCK_HASH_COUNT,
  bellIndex,
  blockHashIndex,
  CONTROL,
  controlWords,
  NODE,
  PAYLOAD,
  pulseIndex,
  RING_CAPACITY,
  ringIndex,
  SLOT,
  TOUCHED,
  TRANSACTION,
  transactionIndex,
  userCallsIndex,
} from '../../../src/memory/layout.ts'

/** Fields of a record, with the words that each takes. */
function wordsOf(
  record: Readonly<Record<string, number>>,
  sizes: Readonly<Record<string, number>>,
): number[] {
  return Object.entries(record)
    .filter(([name]) => name !== 'WORDS' && name !== 'HEADER_WORDS')
    .flatMap(([name, at]) => Array.from({ length: sizes[name] ?? 1 }, (_, i) => at + i))
}

function expectDisjoint(words: readonly number[], size: number): void {
  expect(new Set(words).size).toBe(words.length)
  expect(Math.min(...words)).toBeGreaterThanOrEqual(0)
  expect(Math.max(...words)).toBeLessThan(size)
}

describe('the control region', () => {
  it('has a place of its own for every word of header, bells, ring, hashes and transactions', () => {
    const transactions = 5
    const words = [...Object.values(CONTROL)] as number[]
    for (let worker = 0; worker < 64; worker++) {
      words.push(bellIndex(worker), userCallsIndex(worker), pulseIndex(worker))
    }
    for (let position = 0; position < RING_CAPACITY; position++) words.push(ringIndex(position))
    for (let distance = 1; distance <= BLOCK_HASH_COUNT; distance++) {
      for (let word = 0; word < 9; word++) words.push(blockHashIndex(distance) + word)
    }
    for (let transaction = 0; transaction < transactions; transaction++) {
      for (const field of Object.values(TRANSACTION))
        words.push(transactionIndex(transaction, field))
    }
    expectDisjoint(words, controlWords(transactions))
  })

  it('has the ring start again where it began', () => {
    expect(ringIndex(RING_CAPACITY + 3)).toBe(ringIndex(3))
  })
})

describe('a record', () => {
  it('of an account has fields that do not overlap', () => {
    const sizes = { ADDRESS: 5, NONCE: 2, BALANCE: 8, CODE_HASH: 8, STORAGE_ROOT: 8 }
    expectDisjoint(wordsOf(ACCOUNT, sizes), ACCOUNT.WORDS)
  })

  it('of a slot has fields that do not overlap', () => {
    expectDisjoint(wordsOf(SLOT, { KEY: 8, VALUE: 8 }), SLOT.WORDS)
  })

  it('is found and told apart by words that accounts and slots have in the same place', () => {
    expect([SLOT.NEXT, SLOT.HASH]).toEqual([ACCOUNT.NEXT, ACCOUNT.HASH])
  })

  it('of a version, a payload and a touched location has fields that do not overlap', () => {
    expectDisjoint(wordsOf(NODE, {}), NODE.WORDS)
    expectDisjoint(wordsOf(TOUCHED, {}), TOUCHED.WORDS)
    expect(PAYLOAD.VALUE).toBe(PAYLOAD.HEADER_WORDS)
  })
})
