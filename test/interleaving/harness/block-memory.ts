// The shared memory of toy blocks: buffers, how threads see them, and how main prepares and empties them.
// Authority on what lies in memory before a schedule starts: base values where nobody serves them, and
// poison in every word that nobody has written yet.

import { publishListed } from '../../../src/block/listed-versions.ts'
import type { RecordId } from '../../../src/ids.ts'
import { type AtomicOperations, nativeAtomics } from '../../../src/memory/atomics.ts'
import { ACCOUNT, BASE, CONTROL, controlWords, SLOT } from '../../../src/memory/layout.ts'
import {
  REGION_HEADER_WORDS,
  RegionAllocator,
  SharedRegion,
} from '../../../src/memory/shared-region.ts'
import { writePadded32, writeUint64, writeUint256 } from '../../../src/memory/word-codec.ts'
import { LocationTable } from '../../../src/mvcc/location-table.ts'
import { VersionStore } from '../../../src/mvcc/version-store.ts'
import { writeTerms } from '../../../src/scheduling/admission-gate.ts'
import { publishPlan } from '../../../src/scheduling/planned-order.ts'
import { MOST_TRANSACTIONS } from './stage.ts'
import { accessesOf } from './toy-list.ts'
import { ACCOUNTS, KEYS, type ToyProgram } from './toy-program.ts'
import { slotKey, type ToyAccount } from './toy-world.ts'

/** Two buckets: most chains have several records. */
const BUCKETS = 2
const REGION_BYTES = 1 << 20
/** Reading a word before it was written must go wrong. */
const POISON = 0x5bad5bad
/** Few words at a time, so that threads meet at the region's end. */
const CHUNK_WORDS = 128

export interface MemoryBuffers {
  control: SharedArrayBuffer
  state: SharedArrayBuffer
  block: SharedArrayBuffer
  buckets: SharedArrayBuffer
  tableSeed: number
  addresses: readonly Uint8Array[]
}

/** One thread's views. */
export interface MemoryViews {
  control: Int32Array
  state: SharedRegion
  block: SharedRegion
  stateAllocator: RegionAllocator
  allocator: RegionAllocator
  newTable: (Table: typeof LocationTable) => LocationTable
}

export function createMemory(tableSeed: number, addresses: readonly Uint8Array[]): MemoryBuffers {
  return {
    control: new SharedArrayBuffer(controlWords(MOST_TRANSACTIONS) * 4),
    state: SharedRegion.create(REGION_BYTES).buffer,
    block: SharedRegion.create(REGION_BYTES).buffer,
    buckets: new SharedArrayBuffer(BUCKETS * 4),
    tableSeed,
    addresses,
  }
}

export function viewMemory(buffers: MemoryBuffers, atomics: AtomicOperations): MemoryViews {
  const state = new SharedRegion(buffers.state, atomics)
  const block = new SharedRegion(buffers.block, atomics)
  const stateAllocator = new RegionAllocator(state, CHUNK_WORDS)
  const allocator = new RegionAllocator(block, CHUNK_WORDS)
  const buckets = new Int32Array(buffers.buckets)
  return {
    control: new Int32Array(buffers.control),
    state,
    block,
    stateAllocator,
    allocator,
    newTable: (Table) => new Table(buckets, buffers.tableSeed, state, stateAllocator, atomics),
  }
}

/** Empties everything. */
export function clearMemory(buffers: MemoryBuffers): void {
  new Int32Array(buffers.control).fill(0)
  new Int32Array(buffers.buckets).fill(0)
  for (const buffer of [buffers.state, buffers.block]) {
    const region = new SharedRegion(buffer)
    region.words.fill(POISON, REGION_HEADER_WORDS, Math.max(region.used(), REGION_HEADER_WORDS))
    region.reset()
  }
}

/** Makes memory ready for a program. */
export function prepareBlock(buffers: MemoryBuffers, program: ToyProgram): void {
  new Int32Array(buffers.control)[CONTROL.TRANSACTION_COUNT] = program.transactions.length
  const { control, block, allocator } = viewMemory(buffers, nativeAtomics)
  const { terms } = program
  if (terms !== undefined) {
    const gasLimits = terms.gasLimits.map(BigInt)
    writeTerms(control, block, allocator, { ...terms, gasLeft: BigInt(terms.gasLeft), gasLimits })
  }
  if (program.served) return
  writeAllBases(buffers, program)
  publishList(buffers, program)
  publishPlan(control, block, allocator, nativeAtomics, program.plan)
}

/** Publishes what the program's list says, if it has one, by native atomics. */
export function publishList(buffers: MemoryBuffers, program: ToyProgram): void {
  if (program.list === undefined) return
  const { control, state, block, allocator, newTable } = viewMemory(buffers, nativeAtomics)
  const memory = {
    control,
    state,
    block,
    table: newTable(LocationTable),
    store: new VersionStore(control, state, block, allocator, nativeAtomics),
    blockAllocator: allocator,
  }
  const accesses = accessesOf(program.list, buffers.addresses)
  publishListed(memory, { accesses }, program.transactions.length, (message) => message)
}

/** Writes every base value that is not there yet, by native atomics. */
export function writeAllBases(buffers: MemoryBuffers, program: ToyProgram): void {
  const views = viewMemory(buffers, nativeAtomics)
  const table = views.newTable(LocationTable)
  for (let account = 0; account < ACCOUNTS; account++) {
    const record = table.account(buffers.addresses[account])
    const base = program.base.get(account)
    if (views.state.reach(record + ACCOUNT.WORDS)[record + ACCOUNT.STATUS] !== BASE.PRESENT) {
      writeBaseAccount(views.state, record, base)
      views.state.words[record + ACCOUNT.STATUS] = BASE.PRESENT
    }
    for (let key = 0; key < KEYS; key++) {
      const slot = table.slot(record, slotKey(key))
      if (views.state.reach(slot + SLOT.WORDS)[slot + SLOT.STATUS] === BASE.PRESENT) continue
      writeBaseSlot(views.state, slot, base?.slots.get(key) ?? 0)
      views.state.words[slot + SLOT.STATUS] = BASE.PRESENT
    }
  }
}

/** The caller publishes the status. */
export function writeBaseAccount(
  state: SharedRegion,
  record: RecordId,
  account: ToyAccount | undefined,
): void {
  const words = state.reach(record + ACCOUNT.WORDS)
  words[record + ACCOUNT.EXISTS] = account === undefined ? 0 : 1
  writeUint64(words, record + ACCOUNT.NONCE, BigInt(account?.nonce ?? 0))
  writeUint256(words, record + ACCOUNT.BALANCE, BigInt(account?.balance ?? 0))
}

/** The caller publishes the status. */
export function writeBaseSlot(state: SharedRegion, slot: RecordId, value: number): void {
  state.reach(slot + SLOT.WORDS)
  writePadded32(state.bytes, slot + SLOT.VALUE, Uint8Array.of(value))
}
