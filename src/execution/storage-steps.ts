// What SLOAD does to the state of a frame besides its stack: warm slots, their gas, the value.
// Authority on none of it, it is EIP-2929's and stock's; only without waiting and without converting
// the same keys again and again.

import { bytesToUnprefixedHex } from '@ethereumjs/util'
import { OverlayStateManager } from './overlay-state-manager.ts'
import type { StepRules } from './step-rules.ts'
import type { RunStateLike } from './stock-interpreter.ts'
import { wordToBytes } from './word-bytes.ts'

/** A slot's key in the forms that stock asks for; nobody changes the bytes. */
export interface SlotKey {
  readonly bytes: Uint8Array
  readonly hex: string
}

/** Keys kept at most; above it everything is forgotten, which only costs converting again. */
const MOST_KEYS = 8192
const keys = new Map<bigint, SlotKey>()

/** The key that is `word` on the stack. */
export function slotKey(word: bigint): SlotKey {
  let key = keys.get(word)
  if (key === undefined) {
    if (keys.size >= MOST_KEYS) keys.clear()
    const bytes = wordToBytes(word)
    key = { bytes, hex: bytesToUnprefixedHex(bytes) }
    keys.set(word, key)
  }
  return key
}

const addresses = new WeakMap<Uint8Array, string>()

function addressHex(bytes: Uint8Array): string {
  let hex = addresses.get(bytes)
  if (hex === undefined) {
    hex = bytesToUnprefixedHex(bytes)
    addresses.set(bytes, hex)
  }
  return hex
}

/** SLOAD's gas beyond the base fee; makes the slot warm. */
export function slotAccessGas(runState: RunStateLike, rules: StepRules, key: SlotKey): number {
  const { slotAccess } = rules
  if (slotAccess === undefined) return 0
  const { journal } = runState.interpreter
  const { bytes } = runState.env.address
  const address = addressHex(bytes)
  if (
    journal.journal.get(address)?.has(key.hex) === true ||
    journal.alwaysWarmJournal.get(address)?.has(key.hex) === true
  ) {
    return slotAccess.warm
  }
  journal.addWarmedStorage(bytes, key.bytes)
  return slotAccess.cold
}

/** The running account's slot, if it can be had without waiting. */
export function slotNow({ stateManager, env }: RunStateLike, key: SlotKey): Uint8Array | undefined {
  if (!(stateManager instanceof OverlayStateManager)) return undefined
  return stateManager.storageNow(env.address, key.bytes)
}
