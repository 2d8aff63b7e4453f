// Answers the workers' requests for base values from the user's state manager, in batches.
// Authority on base values in shared memory: the only writer of them while a block runs. It reads the
// state as it is before the block's transactions and never writes to it.

import type { StateManagerInterface } from '@ethereumjs/common'
import type { EVMMockBlockchainInterface } from '@ethereumjs/evm'
import {
  type Account,
  Address,
  bytesToUnprefixedHex,
  KECCAK256_NULL,
  KECCAK256_RLP,
} from '@ethereumjs/util'
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
import type { BlockMemory } from './block-memory.ts'

const KIND_MASK = (1 << REQUEST_KIND_BITS) - 1

export class BaseServer {
  readonly #memory: BlockMemory
  readonly #manager: StateManagerInterface
  readonly #blockchain: EVMMockBlockchainInterface
  readonly #blockNumber: number
  /** Whether committed transactions have cleared an account's storage. */
  readonly #isReset: (account: RecordId) => boolean
  #head = 0

  constructor(
    memory: BlockMemory,
    manager: StateManagerInterface,
    blockchain: EVMMockBlockchainInterface,
    blockNumber: bigint,
    isReset: (account: RecordId) => boolean,
  ) {
    this.#memory = memory
    this.#manager = manager
    this.#blockchain = blockchain
    this.#blockNumber = Number(blockNumber)
    this.#isReset = isReset
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
    const answers: Promise<void>[] = []
    while (this.hasRequests) {
      const index = ringIndex(this.#head)
      const request = nativeAtomics.load(control, index)
      nativeAtomics.store(control, index, 0)
      this.#head++
      answers.push(this.#answer(request - 1))
    }
    await allAnswered(answers)
    ringAll(nativeAtomics, control, workers)
  }

  /** Loads accounts and slots before anybody asks for them. */
  async preload(accounts: readonly RecordId[], slots: readonly RecordId[]): Promise<void> {
    const missing: Promise<void>[] = []
    for (const record of accounts) {
      if (this.#take(record + ACCOUNT.STATUS)) missing.push(this.#account(record))
    }
    for (const record of slots) {
      if (this.#take(record + SLOT.STATUS)) missing.push(this.#slot(record))
    }
    await allAnswered(missing)
  }

  /** Whether the value with its status at `index` is asked for by nobody else. */
  #take(index: number): boolean {
    const words = this.#memory.state.reach(index)
    const seen = nativeAtomics.compareExchange(words, index, BASE.UNKNOWN, BASE.REQUESTED)
    return seen === BASE.UNKNOWN
  }

  #answer(request: number): Promise<void> {
    const kind = request & KIND_MASK
    const subject = request >>> REQUEST_KIND_BITS
    if (kind === REQUEST.ACCOUNT) return this.#account(subject as RecordId)
    if (kind === REQUEST.SLOT) return this.#slot(subject as RecordId)
    if (kind === REQUEST.CODE) return this.#code(subject as RecordId)
    return this.#blockHash(subject)
  }

  async #account(record: RecordId): Promise<void> {
    const account = await this.#manager.getAccount(this.#address(record))
    writeBaseAccount(this.#memory, record, account)
    nativeAtomics.store(this.#memory.state.words, record + ACCOUNT.STATUS, BASE.PRESENT)
  }

  async #slot(record: RecordId): Promise<void> {
    const { state } = this.#memory
    const words = state.reach(record + SLOT.WORDS)
    const account = words[record + SLOT.ACCOUNT] as RecordId
    const key = bytesOfWords(words, record + SLOT.KEY, 8)
    // Only a stale incarnation asks for storage that is gone; where changes are written at once, the
    // state manager would look into the trie of the account that was, and remember what it finds.
    const value = this.#isReset(account)
      ? new Uint8Array(0)
      : await this.#manager.getStorage(this.#address(account), key)
    writePadded32(state.bytes, record + SLOT.VALUE, value)
    nativeAtomics.store(state.words, record + SLOT.STATUS, BASE.PRESENT)
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

/** Writes an account's base values; the caller publishes the status. */
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
  words[record + ACCOUNT.EXISTS] = 1
  writeUint64(words, record + ACCOUNT.NONCE, account.nonce)
  writeUint256(words, record + ACCOUNT.BALANCE, account.balance)
  writePadded32(state.bytes, record + ACCOUNT.CODE_HASH, account.codeHash)
  writePadded32(state.bytes, record + ACCOUNT.STORAGE_ROOT, account.storageRoot)
}
