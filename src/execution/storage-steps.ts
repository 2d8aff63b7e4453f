// What SLOAD and SSTORE do besides the stack: warm slots, their gas and refunds, values.
// Authority on none of it, it is that of EIP-2200, EIP-2929 and stock; only without waiting and without converting
// the same keys again and again.

import { EVMError } from '@ethereumjs/evm'
import { bytesToUnprefixedHex } from '@ethereumjs/util'
import { OverlayStateManager } from './overlay-state-manager.ts'
import type { StepRules } from './step-rules.ts'
import type { RunStateLike } from './stock-interpreter.ts'
import { bytesToWord, wordToBytes } from './word-bytes.ts'

const ZERO = 0n

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
  if (isWarm(runState, key)) return slotAccess.warm
  runState.interpreter.journal.addWarmedStorage(runState.env.address.bytes, key.bytes)
  return slotAccess.cold
}

function isWarm({ interpreter, env }: RunStateLike, key: SlotKey): boolean {
  const { journal } = interpreter
  const address = addressHex(env.address.bytes)
  return (
    journal.journal.get(address)?.has(key.hex) === true ||
    journal.alwaysWarmJournal.get(address)?.has(key.hex) === true
  )
}

/**
 * SSTORE's gas beyond the base fee by EIP-2200, with its refunds, of which `gasLeft` is what the frame
 * has; makes the slot warm. `undefined`, and nothing happened, where state has to be waited for.
 */
export function slotStoreGas(
  runState: RunStateLike,
  rules: StepRules,
  key: SlotKey,
  value: bigint,
  gasLeft: number,
): number | undefined {
  const { stateManager, env, interpreter } = runState
  const { slotStore: amounts, slotAccess } = rules
  if (amounts === undefined || !(stateManager instanceof OverlayStateManager)) return undefined
  const currentBytes = stateManager.storageNow(env.address, key.bytes)
  if (currentBytes === undefined) return undefined
  const originalBytes = stateManager.originalNow(env.address, key.bytes)
  if (originalBytes === undefined) return undefined
  if (gasLeft <= amounts.sentry) throw new EVMError(EVMError.errorMessages.OUT_OF_GAS)

  const current = bytesToWord(currentBytes)
  const original = bytesToWord(originalBytes)
  const wasWarm = slotAccess !== undefined && isWarm(runState, key)
  let gas = amounts.dirty
  if (current === value) {
    gas = wasWarm ? slotAccess.warm : amounts.noop
  } else if (original === current) {
    if (original !== ZERO && value === ZERO) interpreter.refundGas(BigInt(amounts.clearRefund))
    gas = original === ZERO ? amounts.init : amounts.clean
  } else {
    if (original !== ZERO) {
      if (current === ZERO) interpreter.subRefund(BigInt(amounts.clearRefund))
      else if (value === ZERO) interpreter.refundGas(BigInt(amounts.clearRefund))
    }
    if (original === value) interpreter.refundGas(BigInt(restoreRefund(rules, original, wasWarm)))
  }
  if (slotAccess === undefined || wasWarm) return gas
  interpreter.journal.addWarmedStorage(env.address.bytes, key.bytes)
  return gas + slotAccess.cold
}

/** For a slot that gets its original value back. */
function restoreRefund(
  { slotStore, slotAccess }: StepRules,
  original: bigint,
  wasWarm: boolean,
): number {
  if (slotStore === undefined) return 0
  const { init, reset, initRefund, cleanRefund } = slotStore
  if (!wasWarm || slotAccess === undefined) return original === ZERO ? initRefund : cleanRefund
  return original === ZERO ? init - slotAccess.warm : reset - slotAccess.cold - slotAccess.warm
}

/** Stores what {@link slotStoreGas} was charged for, and takes the account anew, as stock does. */
export function storeSlot({ stateManager, env }: RunStateLike, key: SlotKey, value: bigint): void {
  const bytes = wordToBytes(value)
  let zeros = 0
  while (zeros < bytes.length && bytes[zeros] === 0) zeros++
  const overlay = stateManager as OverlayStateManager
  env.contract = overlay.storeNow(env.address, key.bytes, bytes.slice(zeros))
}

/** The running account's slot, if it can be had without waiting. */
export function slotNow({ stateManager, env }: RunStateLike, key: SlotKey): Uint8Array | undefined {
  if (!(stateManager instanceof OverlayStateManager)) return undefined
  return stateManager.storageNow(env.address, key.bytes)
}
