// What a block's committed transactions touched, compared with what was predicted, and handed to the
// templates to learn from. Authority on what counts as touched: fields and slots that were looked at or
// changed; existence and resets are the executor's own matter. Reads the sets that the workers left.

import type { AccessKind, LocationField } from '../access/access-sink.ts'
import type { ObservedAccess } from '../access/observation.ts'
import type { LocationId, RecordId } from '../ids.ts'
import {
  ACCOUNT,
  LOCATION,
  type LocationKind,
  NODE,
  PAYLOAD,
  SLOT,
  TRANSACTION,
  transactionIndex,
  VERSION_KIND,
} from '../memory/layout.ts'
import { bytesOfWords, readBytes } from '../memory/word-codec.ts'
import { forEachRead } from '../mvcc/read-set.ts'
import { forEachWrite } from '../mvcc/write-set.ts'
import type { BlockMemory } from './block-memory.ts'

/** Where the heads of an account's version lists lie, and what they are called. */
const FIELDS: Readonly<Record<number, { head: number; field: LocationField }>> = {
  [LOCATION.EXISTS]: { head: ACCOUNT.EXISTS_HEAD, field: 'existence' },
  [LOCATION.BALANCE]: { head: ACCOUNT.BALANCE_HEAD, field: 'balance' },
  [LOCATION.NONCE]: { head: ACCOUNT.NONCE_HEAD, field: 'nonce' },
  [LOCATION.CODE]: { head: ACCOUNT.CODE_HEAD, field: 'code' },
  [LOCATION.SLOT]: { head: SLOT.HEAD, field: 'slot' },
}

/** A location that one transaction touched. */
export interface Touched {
  readonly locationKind: LocationKind
  kind: AccessKind
  /** Place of the value first read, in the block region, where one was recorded; else 0. */
  readonly value: number
}

/** What `transaction` touched at last, by location, in the order in which each was first looked at. */
export function touchedBy(memory: BlockMemory, transaction: number): Map<LocationId, Touched> {
  const { block, control } = memory
  const touched = new Map<LocationId, Touched>()
  const readSet = control[transactionIndex(transaction, TRANSACTION.READ_SET)]
  const writeSet = control[transactionIndex(transaction, TRANSACTION.WRITE_SET)]
  forEachRead(block, readSet, (locationKind, location, value) => {
    if (!isCounted(locationKind) || touched.has(location)) return
    touched.set(location, { locationKind, kind: 'read', value })
  })
  forEachWrite(block, writeSet, (locationKind, location, node) => {
    if (!isCounted(locationKind)) return
    const payload = block.reach(node + NODE.WORDS)[node + NODE.PAYLOAD] >>> 1
    const words = block.reach(payload + PAYLOAD.VALUE)
    const isDelta = words[payload + PAYLOAD.KIND] === VERSION_KIND.ADD
    const known = touched.get(location)
    if (known !== undefined) known.kind = 'write'
    else touched.set(location, { locationKind, kind: isDelta ? 'delta' : 'write', value: 0 })
  })
  return touched
}

/** The same in bytes, as templates learn it. */
export function observedAccesses(
  memory: BlockMemory,
  touched: ReadonlyMap<LocationId, Touched>,
): ObservedAccess[] {
  return Array.from(touched, ([location, { locationKind, kind, value }]) => {
    const place = placeOf(memory, locationKind, location)
    if (locationKind !== LOCATION.SLOT || value === 0) return { ...place, kind }
    return { ...place, kind, value: readBytes(memory.block.bytes, value, 32) }
  })
}

/** What a location is called. */
export function placeOf(
  memory: BlockMemory,
  locationKind: LocationKind,
  location: LocationId,
): { field: LocationField; address: Uint8Array; key?: Uint8Array } {
  const { head, field } = FIELDS[locationKind]
  const { state } = memory
  const record = (location - head) as RecordId
  const isSlot = locationKind === LOCATION.SLOT
  // Who interned the slot and who interned its account may have been two threads: either can lie higher.
  const account = isSlot ? state.reach(record + SLOT.WORDS)[record + SLOT.ACCOUNT] : record
  const words = state.reach(account + ACCOUNT.WORDS)
  const address = bytesOfWords(words, account + ACCOUNT.ADDRESS, 5)
  return isSlot
    ? { field, address, key: bytesOfWords(words, record + SLOT.KEY, 8) }
    : { field, address }
}

/** Every existing account is looked at for its existence, and nothing waits for that. */
function isCounted(kind: LocationKind): boolean {
  return kind !== LOCATION.EXISTS && kind !== LOCATION.RESET
}
