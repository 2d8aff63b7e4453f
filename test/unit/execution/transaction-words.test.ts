// Holds what executions write into a transaction's control words: its sender, and what is left behind.
// Must not know where the words lie; an order of writes that matters is shown by the interleaving tests.
import { describe, expect, it } from 'vitest'
import { leaveBehind, previousWriteSet } from '../../../src/execution/transaction-words.ts'
import type { TxIndex } from '../../../src/ids.ts'
import { nativeAtomics } from '../../../src/memory/atomics.ts'
import { OUTCOME } from '../../../src/memory/layout.ts'
import { VersionMemory } from '../../support/version-memory.ts'

function wordsOf(memory: VersionMemory) {
  return { control: memory.control, atomics: nativeAtomics }
}

describe('what an incarnation leaves behind', () => {
  it('is found in the words of its transaction, and in no others', () => {
    const memory = new VersionMemory()
    const words = wordsOf(memory)
    const before = memory.control.slice()
    expect(previousWriteSet(words, 2 as TxIndex)).toBe(0)
    const leavings = { readSet: 11, writeSet: 12, result: 13, outcome: OUTCOME.ERROR }
    leaveBehind(words, 2 as TxIndex, leavings)
    const fields = ['READ_SET', 'WRITE_SET', 'RESULT', 'OUTCOME'] as const
    expect(fields.map((field) => memory.field(2, field))).toEqual([11, 12, 13, OUTCOME.ERROR])
    expect(previousWriteSet(words, 2 as TxIndex)).toBe(12)
    expect(previousWriteSet(words, 1 as TxIndex)).toBe(0)
    for (const field of fields) memory.setField(2, field, 0)
    expect(memory.control).toEqual(before)
  })
})
