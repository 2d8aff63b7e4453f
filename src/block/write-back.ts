// Writes gathered changes to the user's state manager, and folds them into the kept base values.
// Authority on the calls that a state manager gets; they leave what stock's calls would have left.

import type { StateManagerInterface } from '@ethereumjs/common'
import type { MerkleStateManager } from '@ethereumjs/statemanager'
import { Account, Address, KECCAK256_NULL, KECCAK256_RLP, MAX_INTEGER } from '@ethereumjs/util'
import { internalError } from '../errors.ts'
import type { RecordId } from '../ids.ts'
import { ACCOUNT, BASE, CONTROL, SLOT, TOUCHED } from '../memory/layout.ts'
import {
  bytesOfWords,
  readUint256,
  writePadded32,
  writeUint64,
  writeUint256,
} from '../memory/word-codec.ts'
import type { FlatData } from '../state/flat-data.ts'
import { flatDataOf } from '../state/flat-state.ts'
import type { WrittenSlots } from '../state/flush-merkle.ts'
import { canFlush, putStorageInCache } from '../state/merkle-manager.ts'
import type { BlockMemory } from './block-memory.ts'
import type { AccountChange, CommittedWrites } from './committed-writes.ts'

/**
 * Applies `writes` to the state manager, whose state must be the one before them. `all` are the
 * writes of the whole block so far, `writes` among them. Where somebody looks at the state before the
 * block ends (`isSeen`), storage roots must follow each write, as they do in stock.
 */
export async function applyWrites(
  memory: BlockMemory,
  writes: CommittedWrites,
  all: CommittedWrites,
  manager: StateManagerInterface,
  isSeen: boolean,
): Promise<void> {
  const flat = flatDataOf(manager)
  const isMerkle = flat === undefined && !isSeen && canFlush(manager)
  for (const [record, change] of writes.accounts) {
    const words = memory.state.reach(record + ACCOUNT.WORDS)
    const address = new Address(bytesOfWords(words, record + ACCOUNT.ADDRESS, 5))
    const wasReset = all.accounts.get(record)?.reset === true
    if (flat !== undefined) applyToFlat(memory, change, address.bytes, flat)
    else await applyAccount(memory, change, wasReset, address, manager, isMerkle)
  }
}

/** The slots among `writes`, by account. */
export function slotsOf(memory: BlockMemory, writes: CommittedWrites): WrittenSlots[] {
  const { state } = memory
  return Array.from(writes.accounts, ([record, { slots }]) => ({
    address: new Address(
      bytesOfWords(state.reach(record + ACCOUNT.WORDS), record + ACCOUNT.ADDRESS, 5),
    ),
    slots: Array.from(slots, ([slot, value]) => ({
      key: bytesOfWords(state.reach(slot + SLOT.WORDS), slot + SLOT.KEY, 8),
      value,
    })),
  })).filter(({ slots }) => slots.length > 0)
}

async function applyAccount(
  memory: BlockMemory,
  change: AccountChange,
  wasReset: boolean,
  address: Address,
  manager: StateManagerInterface,
  isMerkle: boolean,
): Promise<void> {
  let account = await manager.getAccount(address)
  if (change.destroyed && account !== undefined) {
    await manager.deleteAccount(address)
    account = undefined
  }
  if (change.exists === false) return
  const revived = account === undefined && wasReset
  account ??= new Account()
  if (change.nonce !== undefined) account.nonce = change.nonce
  if (change.balance !== undefined) account.balance = change.balance
  account.balance += change.added
  if (account.balance > MAX_INTEGER) throw internalError('a balance overflowed by additions')
  await manager.putAccount(address, account)
  // MerkleStateManager keeps the storage trie of an account that it deleted; what workers read before
  // would be written into it at the next flush, so an account that comes back gets an empty one.
  if (change.reset || revived) await manager.clearStorage(address)
  if (change.code !== undefined) await manager.putCode(address, change.code)
  for (const [slot, value] of change.slots) {
    const key = bytesOfWords(memory.state.reach(slot + SLOT.WORDS), slot + SLOT.KEY, 8)
    if (isMerkle) putStorageInCache(manager as MerkleStateManager, address, key, value)
    else await manager.putStorage(address, key, value)
  }
}

/** The same in the memory of a flat state, which needs nothing to be cleared twice. */
function applyToFlat(
  memory: BlockMemory,
  change: AccountChange,
  address: Uint8Array,
  flat: FlatData,
): void {
  if (change.destroyed) flat.setAccount(address, undefined)
  if (change.exists === false) return
  const before = flat.account(address) ?? new Account()
  const balance = (change.balance ?? before.balance) + change.added
  if (balance > MAX_INTEGER) throw internalError('a balance overflowed by additions')
  const { code, codeHash = before.codeHash } = change
  if (code !== undefined) flat.putCode(codeHash, code)
  const nonce = change.nonce ?? before.nonce
  flat.setAccount(address, { nonce, balance, codeHash, storageRoot: before.storageRoot })
  if (change.reset) flat.clearSlots(address)
  for (const [slot, value] of change.slots) {
    const key = bytesOfWords(memory.state.reach(slot + SLOT.WORDS), slot + SLOT.KEY, 8)
    flat.setSlot(address, key, value)
  }
}

/**
 * Empties all version lists and makes the changes the base of the next block.
 * Only when all workers have ended their tasks.
 */
export function foldIntoBase(memory: BlockMemory, writes: CommittedWrites): void {
  clearVersions(memory)
  emptyStorages(memory, writes)
  for (const [record, change] of writes.accounts) foldAccount(memory, record, change)
}

/** Empties the version list of every location that the block wrote. */
export function clearVersions(memory: BlockMemory): void {
  let entry = memory.control[CONTROL.TOUCHED_LOCATIONS]
  while (entry !== 0) {
    const words = memory.block.reach(entry + TOUCHED.WORDS)
    const location = words[entry + TOUCHED.LOCATION]
    memory.state.reach(location)[location] = 0
    entry = words[entry + TOUCHED.NEXT]
  }
}

/** Every slot of an account whose storage was reset is zero; slots written since are folded later. */
function emptyStorages(memory: BlockMemory, writes: CommittedWrites): void {
  const { state } = memory
  const emptied: RecordId[] = []
  for (const [record, change] of writes.accounts) {
    const existed = state.reach(record + ACCOUNT.WORDS)[record + ACCOUNT.EXISTS] === 1
    if (change.reset && existed) emptied.push(record)
  }
  memory.forEachSlot(emptied, (slot) => {
    const words = state.reach(slot + SLOT.WORDS)
    words.fill(0, slot + SLOT.VALUE, slot + SLOT.WORDS)
    words[slot + SLOT.STATUS] = BASE.PRESENT
  })
}

function foldAccount(memory: BlockMemory, record: RecordId, change: AccountChange): void {
  const { state } = memory
  const words = state.reach(record + ACCOUNT.WORDS)
  const existed = words[record + ACCOUNT.EXISTS] === 1
  if (change.destroyed || !existed) {
    words.fill(0, record + ACCOUNT.NONCE, record + ACCOUNT.CODE_STATUS)
    writePadded32(state.bytes, record + ACCOUNT.CODE_HASH, KECCAK256_NULL)
  }
  if (change.destroyed || change.reset || !existed) {
    writePadded32(state.bytes, record + ACCOUNT.STORAGE_ROOT, KECCAK256_RLP)
  }
  if (change.exists !== undefined) words[record + ACCOUNT.EXISTS] = change.exists ? 1 : 0
  if (change.nonce !== undefined) writeUint64(words, record + ACCOUNT.NONCE, change.nonce)
  const balance = (change.balance ?? readUint256(words, record + ACCOUNT.BALANCE)) + change.added
  writeUint256(words, record + ACCOUNT.BALANCE, balance)
  if (change.codeHash !== undefined) {
    writePadded32(state.bytes, record + ACCOUNT.CODE_HASH, change.codeHash)
    words[record + ACCOUNT.CODE_STATUS] = BASE.UNKNOWN
  }
  words[record + ACCOUNT.STATUS] = BASE.PRESENT
  for (const [slot, value] of change.slots) {
    const slotWords = state.reach(slot + SLOT.WORDS)
    writePadded32(state.bytes, slot + SLOT.VALUE, value)
    slotWords[slot + SLOT.STATUS] = BASE.PRESENT
  }
}
