// Finds keys that the location table cannot tell apart by hash: the birthday paradox, and the hashes
// that the table itself wrote. Authority on nothing; it knows where the hash lies and not how it is made.

import { keccak_256 } from '@noble/hashes/sha3.js'
import type { RecordId } from '../../src/ids.ts'
import { nativeAtomics } from '../../src/memory/atomics.ts'
import { ACCOUNT, SLOT } from '../../src/memory/layout.ts'
import { RegionAllocator, SharedRegion } from '../../src/memory/shared-region.ts'
import { LocationTable } from '../../src/mvcc/location-table.ts'
import { numberWord } from './random-world.ts'

const REGION_BYTES = 1 << 28
const BUCKETS = 1 << 16

/** Two addresses with one hash in tables with `seed`. */
export function collidingAddresses(seed: number): [Uint8Array, Uint8Array] {
  const { table, state } = newTable(seed)
  const seen = new Map<number, number>()
  for (let name = 1; ; name++) {
    const record = table.account(numberedBytes(20, name))
    const hash = state.reach(record + ACCOUNT.WORDS)[record + ACCOUNT.HASH]
    const other = seen.get(hash)
    if (other !== undefined) return [numberedBytes(20, other), numberedBytes(20, name)]
    seen.set(hash, name)
  }
}

/** Two slot keys with one hash, in tables with `seed`, for the account with record `account`. */
export function collidingSlotKeys(seed: number, account: RecordId): [Uint8Array, Uint8Array] {
  const { table, state } = newTable(seed)
  state.reach(account + ACCOUNT.WORDS)
  const seen = new Map<number, number>()
  for (let name = 1; ; name++) {
    const record = table.slot(account, numberedBytes(32, name))
    const hash = state.reach(record + SLOT.WORDS)[record + SLOT.HASH]
    const other = seen.get(hash)
    if (other !== undefined) return [numberedBytes(32, other), numberedBytes(32, name)]
    seen.set(hash, name)
  }
}

function newTable(seed: number): { table: LocationTable; state: SharedRegion } {
  const state = SharedRegion.create(REGION_BYTES)
  // Low words stay free, for the made-up account that slots belong to.
  state.allocate(1 << 20)
  const buckets = new Int32Array(new SharedArrayBuffer(BUCKETS * 4))
  const table = new LocationTable(buckets, seed, state, new RegionAllocator(state), nativeAtomics)
  return { table, state }
}

/** Bytes without any pattern from number to number: a linear hash spreads patterns too well. */
function numberedBytes(length: number, number: number): Uint8Array {
  return keccak_256(numberWord(number)).slice(0, length)
}
