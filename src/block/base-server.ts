// Answers the workers' requests for base values from the user's state manager, in batches.
// Authority on base values in shared memory: the only writer of them while a block runs. It reads the
// state as it is before the block's transactions and never writes to it.

import type { StateManagerInterface } from '@ethereumjs/common'
import type { EVMMockBlockchainInterface } from '@ethereumjs/evm'
import type { MerkleStateManager } from '@ethereumjs/statemanager'
import {
  type Account,
  Address,
  bytesToUnprefixedHex,
  KECCAK256_NULL,
  KECCAK256_RLP,
  MAX_INTEGER,
} from '@ethereumjs/util'
import { ParallelError } from '../errors.ts'
import type { RecordId } from '../ids.ts'
import { nativeAtomics } from '../memory/atomics.ts'
import { ringAll } from '../memory/doorbell.ts'
import {
  ACCOUNT,
  BASE,
  blockHashIndex,
  REQUEST,
  REQUEST_KIND_BITS,
  ringIndex,
  SLOT,
} from '../memory/layout.ts'
import { writeSizedBytes } from '../memory/sized-bytes.ts'
import {
  bytesOfWords,
  readBytes,
  writePadded32,
  writeUint64,
  writeUint256,
} from '../memory/word-codec.ts'
import { flatDataOf } from '../state/flat-state.ts'
import { canFlush } from '../state/merkle-manager.ts'
import { readMerkleAccounts, readMerkleStorage } from '../state/merkle-reads.ts'
import { FlatBases } from '../workers/flat-bases.ts'
import type { BlockMemory } from './block-memory.ts'

const KIND_MASK = (1 << REQUEST_KIND_BITS) - 1

export class BaseServer {
  readonly #memory: BlockMemory
  readonly #manager: StateManagerInterface
  readonly #blockchain: EVMMockBlockchainInterface
  readonly #blockNumber: number
  /** Whether committed transactions have cleared an account's storage. */
  readonly #isReset: (account: RecordId) => boolean
  /** The state manager, where many values can be read of it at once. */
  readonly #merkle: MerkleStateManager | undefined
  /** The state manager's memory, where it is a flat state. */
  readonly #flat: FlatBases | undefined
  #head = 0

  constructor(
    memory: BlockMemory,
    manager: StateManagerInterface,
    blockchain: EVMMockBlockchainInterface,
    blockNumber: bigint,
    isReset: (account: RecordId) => boolean,
    covered: readonly string[] = [],
  ) {
    this.#memory = memory
    this.#manager = manager
    this.#blockchain = blockchain
    this.#blockNumber = Number(blockNumber)
    this.#isReset = isReset
    this.#merkle = canFlush(manager, covered) ? manager : undefined
    const flat = flatDataOf(manager, covered)
    this.#flat = flat && new FlatBases(flat.table.reader, memory.state, nativeAtomics, true)
  }

  /**
   * Whether a request waits. One whose position was taken and that is not yet written does not count:
   * its worker rings when it has written it, or has died in between.
   */
  get hasRequests(): boolean {
    return nativeAtomics.load(this.#memory.control, ringIndex(this.#head)) !== 0
  }

  /**
   * Answers all requests that wait, at once, and wakes the workers.
   * @throws what the state manager throws; the block cannot be run in parallel then.
   */
  async serve(workers: number): Promise<void> {
    const { control } = this.#memory
    const accounts: RecordId[] = []
    const slots: RecordId[] = []
    const answers: Promise<void>[] = []
    while (this.hasRequests) {
      const index = ringIndex(this.#head)
      const request = nativeAtomics.load(control, index) - 1
      nativeAtomics.store(control, index, 0)
      this.#head++
      const kind = request & KIND_MASK
      const subject = request >>> REQUEST_KIND_BITS
      if (kind === REQUEST.ACCOUNT) accounts.push(subject as RecordId)
      else if (kind === REQUEST.SLOT) slots.push(subject as RecordId)
      else if (kind === REQUEST.CODE) answers.push(this.#code(subject as RecordId))
      else answers.push(this.#blockHash(subject))
    }
    await allAnswered([...answers, ...this.#accounts(accounts), ...this.#slots(slots)])
    ringAll(nativeAtomics, control, workers)
  }

  /** Loads accounts and slots before anybody asks for them. */
  async preload(accounts: readonly RecordId[], slots: readonly RecordId[]): Promise<void> {
    const missingAccounts = accounts.filter((record) => this.#take(record + ACCOUNT.STATUS))
    const missingSlots = slots.filter((record) => this.#take(record + SLOT.STATUS))
    await allAnswered([...this.#accounts(missingAccounts), ...this.#slots(missingSlots)])
  }

  /** Whether the value with its status at `index` is asked for by nobody else. */
  #take(index: number): boolean {
    const words = this.#memory.state.reach(index)
    const seen = nativeAtomics.compareExchange(words, index, BASE.UNKNOWN, BASE.REQUESTED)
    return seen === BASE.UNKNOWN
  }

  /** Reads accounts: together where the state manager allows it, else each by itself. */
  #accounts(records: readonly RecordId[]): Promise<void>[] {
    const flat = this.#flat
    if (flat !== undefined) {
      for (const record of records) {
        flat.account(record)
        nativeAtomics.store(this.#memory.state.words, record + ACCOUNT.STATUS, BASE.PRESENT)
      }
      return []
    }
    const write = (record: RecordId, account: Account | undefined): void => {
      writeBaseAccount(this.#memory, record, account)
      nativeAtomics.store(this.#memory.state.words, record + ACCOUNT.STATUS, BASE.PRESENT)
    }
    const merkle = this.#merkle
    if (merkle === undefined) {
      return records.map(async (record) =>
        write(record, await this.#manager.getAccount(this.#address(record))),
      )
    }
    const read = async (): Promise<void> => {
      const addresses = records.map((record) => this.#address(record))
      const accounts = await readMerkleAccounts(merkle, addresses)
      for (const [i, record] of records.entries()) write(record, accounts[i])
    }
    return [read()]
  }

  /** Reads slots: those of an account together where the state manager allows it. */
  #slots(records: readonly RecordId[]): Promise<void>[] {
    const byAccount = new Map<RecordId, RecordId[]>()
    for (const record of records) {
      const words = this.#memory.state.reach(record + SLOT.WORDS)
      const account = words[record + SLOT.ACCOUNT] as RecordId
      const slots = byAccount.get(account)
      if (slots === undefined) byAccount.set(account, [record])
      else slots.push(record)
    }
    return Array.from(byAccount, ([account, slots]) => this.#slotsOf(account, slots)).flat()
  }

  #slotsOf(account: RecordId, slots: readonly RecordId[]): Promise<void>[] {
    const { state } = this.#memory
    const write = (record: RecordId, value: Uint8Array): void => {
      writePadded32(state.bytes, record + SLOT.VALUE, value)
      nativeAtomics.store(state.words, record + SLOT.STATUS, BASE.PRESENT)
    }
    // Only a stale incarnation asks for storage that is gone; where changes are written at once, the
    // state manager would look into the trie of the account that was, and remember what it finds.
    if (this.#isReset(account)) {
      for (const record of slots) write(record, new Uint8Array(0))
      return []
    }
    const flat = this.#flat
    if (flat !== undefined) {
      for (const record of slots) {
        flat.slot(record)
        nativeAtomics.store(state.words, record + SLOT.STATUS, BASE.PRESENT)
      }
      return []
    }
    const address = this.#address(account)
    const keys = slots.map((record) => bytesOfWords(state.words, record + SLOT.KEY, 8))
    const merkle = this.#merkle
    if (merkle === undefined) {
      return slots.map(async (record, i) =>
        write(record, await this.#manager.getStorage(address, keys[i])),
      )
    }
    const read = async (): Promise<void> => {
      const values = await readMerkleStorage(merkle, address, keys)
      for (const [i, record] of slots.entries()) write(record, values[i])
    }
    return [read()]
  }

  async #code(record: RecordId): Promise<void> {
    const { state, stateAllocator, codePlaces } = this.#memory
    const hash = bytesToUnprefixedHex(readBytes(state.bytes, record + ACCOUNT.CODE_HASH, 32))
    let place = codePlaces.get(hash)
    if (place === undefined) {
      const code = await this.#manager.getCode(this.#address(record))
      place = writeSizedBytes(stateAllocator, code)
      codePlaces.set(hash, place)
    }
    state.words[record + ACCOUNT.CODE] = place
    nativeAtomics.store(state.words, record + ACCOUNT.CODE_STATUS, BASE.PRESENT)
  }

  async #blockHash(distance: number): Promise<void> {
    const { control } = this.#memory
    const index = blockHashIndex(distance)
    try {
      const block = await this.#blockchain.getBlock(this.#blockNumber - distance)
      new Uint8Array(control.buffer, (index + 1) * 4, 32).set(block.hash())
      nativeAtomics.store(control, index, BASE.PRESENT)
    } catch {
      // The transaction that asks is refused, and stock, asked again, throws the error.
      nativeAtomics.store(control, index, BASE.FAILED)
    }
  }

  #address(record: RecordId): Address {
    const words = this.#memory.state.reach(record + ACCOUNT.WORDS)
    return new Address(bytesOfWords(words, record + ACCOUNT.ADDRESS, 5))
  }
}

/** Waits for all, also after one failed: an answer must not reach memory that has moved on. */
async function allAnswered(answers: readonly Promise<void>[]): Promise<void> {
  for (const answer of await Promise.allSettled(answers)) {
    if (answer.status === 'rejected') throw answer.reason
  }
}

/**
 * Writes an account's base values; the caller publishes the status.
 * @throws UNSUPPORTED_BALANCE for a balance that does not fit, which stock's own blocks can leave.
 */
export function writeBaseAccount(
  memory: BlockMemory,
  record: RecordId,
  account: Account | undefined,
): void {
  const { state } = memory
  const words = state.reach(record + ACCOUNT.WORDS)
  if (account === undefined) {
    words.fill(0, record + ACCOUNT.EXISTS, record + ACCOUNT.CODE_HASH)
    // A payment in the block can make it exist, and then it has these without anybody writing them.
    writePadded32(state.bytes, record + ACCOUNT.CODE_HASH, KECCAK256_NULL)
    writePadded32(state.bytes, record + ACCOUNT.STORAGE_ROOT, KECCAK256_RLP)
    return
  }
  if (account.balance > MAX_INTEGER) {
    throw new ParallelError('UNSUPPORTED_BALANCE', 'An account has 2^256 wei or more')
  }
  words[record + ACCOUNT.EXISTS] = 1
  writeUint64(words, record + ACCOUNT.NONCE, account.nonce)
  writeUint256(words, record + ACCOUNT.BALANCE, account.balance)
  writePadded32(state.bytes, record + ACCOUNT.CODE_HASH, account.codeHash)
  writePadded32(state.bytes, record + ACCOUNT.STORAGE_ROOT, account.storageRoot)
}
