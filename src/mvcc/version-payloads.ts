// Writes what a version says, one function for each kind of location, and returns the payload to publish.
// Authority on what stands in a payload after its header. Which changes become versions, and of whom, is
// the caller's matter; nothing is published here.

import type { BlockOffset, Incarnation } from '../ids.ts'
import { PAYLOAD, VERSION_KIND } from '../memory/layout.ts'
import type { RegionAllocator } from '../memory/shared-region.ts'
import { writeSizedBytes } from '../memory/sized-bytes.ts'
import { WORDS_256, writePadded32, writeUint64, writeUint256 } from '../memory/word-codec.ts'
import type { VersionStore } from './version-store.ts'

export function existencePayload(
  store: VersionStore,
  incarnation: Incarnation,
  exists: boolean,
): BlockOffset {
  const payload = store.allocatePayload(incarnation, VERSION_KIND.SET, 1)
  store.block.words[payload + PAYLOAD.VALUE] = exists ? 1 : 0
  return payload
}

/** Says nothing but that there is one: the account's storage is empty from here on. */
export function resetPayload(store: VersionStore, incarnation: Incarnation): BlockOffset {
  return store.allocatePayload(incarnation, VERSION_KIND.SET, 0)
}

export function noncePayload(
  store: VersionStore,
  incarnation: Incarnation,
  nonce: bigint,
): BlockOffset {
  const payload = store.allocatePayload(incarnation, VERSION_KIND.SET, 2)
  writeUint64(store.block.words, payload + PAYLOAD.VALUE, nonce)
  return payload
}

/** `kind` is a {@link VERSION_KIND}; `balance`, in wei, must fit into 256 bits. */
export function balancePayload(
  store: VersionStore,
  incarnation: Incarnation,
  kind: number,
  balance: bigint,
): BlockOffset {
  const payload = store.allocatePayload(incarnation, kind, WORDS_256)
  writeUint256(store.block.words, payload + PAYLOAD.VALUE, balance)
  return payload
}

/** The code itself goes to words of its own, from `allocator`. */
export function codePayload(
  store: VersionStore,
  allocator: RegionAllocator,
  incarnation: Incarnation,
  codeHash: Uint8Array,
  code: Uint8Array,
): BlockOffset {
  const place = writeSizedBytes(allocator, code)
  const payload = store.allocatePayload(incarnation, VERSION_KIND.SET, WORDS_256 + 1)
  writePadded32(store.block.bytes, payload + PAYLOAD.VALUE, codeHash)
  store.block.words[payload + PAYLOAD.VALUE + WORDS_256] = place
  return payload
}

/** `value` has at most 32 bytes. */
export function slotPayload(
  store: VersionStore,
  incarnation: Incarnation,
  value: Uint8Array,
): BlockOffset {
  const payload = store.allocatePayload(incarnation, VERSION_KIND.SET, WORDS_256)
  writePadded32(store.block.bytes, payload + PAYLOAD.VALUE, value)
  return payload
}
