// Threads intern the same few keys at once, in a table of two buckets.
// Authority on the law of identity: what each thread was told is compared with the table at the end.

import type { RecordId } from '../../../src/ids.ts'
import { nativeAtomics } from '../../../src/memory/atomics.ts'
import { ACCOUNT, SLOT, SLOT_HASH_BIT } from '../../../src/memory/layout.ts'
import { WORDS_256, wordOfBytes } from '../../../src/memory/word-codec.ts'
import { LocationTable } from '../../../src/mvcc/location-table.ts'
import { type MemoryBuffers, viewMemory } from './block-memory.ts'
import type { Gate } from './gate.ts'
import { LAW, type Violation } from './laws.ts'
import type { Mutations } from './mutations.ts'
import { Random } from './random.ts'
import { STAGE } from './stage.ts'
import { nobodyObserves, steppedAtomics } from './stepped-atomics.ts'
import { ACCOUNTS, KEYS } from './toy-program.ts'
import { slotKey } from './toy-world.ts'

const ASKED = 10

/** Runs one thread; notes the ids that it is told where {@link toldIndex} says. */
export function runTableSchedule(buffers: MemoryBuffers, gate: Gate, mutations: Mutations): void {
  const atomics = mutations.atomics(steppedAtomics(gate, nobodyObserves), buffers)
  const table = viewMemory(buffers, atomics).newTable(mutations.table(LocationTable, buffers))
  // The control region is unused here, and holds what threads were told.
  const told = new Int32Array(buffers.control)
  const random = new Random(gate.words[STAGE.SEED] * 31 + gate.me)
  const note = (account: number, key: number, id: RecordId): void => {
    const index = toldIndex(account, key)
    if (told[index] === 0) told[index] = id
    if (told[index] === id) return
    gate.fail(LAW.identity, `account ${account}, key ${key}: ${id}, and before ${told[index]}`)
  }
  for (let i = 0; i < ASKED; i++) {
    const account = random.below(ACCOUNTS)
    const key = random.below(KEYS + 1) - 1
    const id = table.account(buffers.addresses[account])
    note(account, -1, id)
    if (key >= 0) note(account, key, table.slot(id, slotKey(key)))
  }
}

function toldIndex(account: number, key: number): number {
  return account * (KEYS + 1) + key + 1
}

export function checkTable(buffers: MemoryBuffers): Violation | undefined {
  const told = new Int32Array(buffers.control)
  const views = viewMemory(buffers, nativeAtomics)
  const words = views.state.words
  const found = new Map<number, string>()
  let doubles = 0
  views.newTable(LocationTable).forEach((record) => {
    if (found.has(record)) doubles++
    found.set(record, nameOf(words, record))
  })
  let expected = 0
  for (let account = 0; account < ACCOUNTS; account++) {
    const owner = told[toldIndex(account, -1)]
    for (let key = -1; key < KEYS; key++) {
      const id = told[toldIndex(account, key)]
      if (id === 0) continue
      expected++
      const name =
        key < 0 ? bytesName(buffers.addresses[account], 5) : slotName(owner, slotKey(key))
      if (found.get(id) !== name) {
        return { law: LAW.identity, detail: `record ${id} is ${found.get(id)} and not ${name}` }
      }
      if (key >= 0 && words[owner + ACCOUNT.HAS_SLOTS] !== 1) {
        return { law: LAW.identity, detail: `record ${owner} knows nothing of its slots` }
      }
    }
  }
  if (doubles === 0 && found.size === expected) return undefined
  return {
    law: LAW.identity,
    detail: `${expected} keys, ${found.size} records, ${doubles} of them in a chain twice`,
  }
}

function nameOf(words: Int32Array, record: number): string {
  if ((words[record + ACCOUNT.HASH] & SLOT_HASH_BIT) === 0) {
    return [...words.subarray(record + ACCOUNT.ADDRESS, record + ACCOUNT.ADDRESS + 5)].join()
  }
  const key = words.subarray(record + SLOT.KEY, record + SLOT.KEY + WORDS_256)
  return `${words[record + SLOT.ACCOUNT]}:${[...key].join()}`
}

function bytesName(bytes: Uint8Array, count: number): string {
  return Array.from({ length: count }, (_, i) => wordOfBytes(bytes, i)).join()
}

function slotName(owner: number, key: Uint8Array): string {
  return `${owner}:${bytesName(key, WORDS_256)}`
}
