// Records what stock's transactions touch, as an executor hands it to the template library: slots with
// the values first read, changed accounts, code, and what the EVM hashed.
// Authority on the observations of tests and figures. It must not change what stock does.

import { MerkleStateManager } from '@ethereumjs/statemanager'
import type { TypedTransaction } from '@ethereumjs/tx'
import type { Account, Address } from '@ethereumjs/util'
import type { VM } from '@ethereumjs/vm'
import { keccak_256 } from '@noble/hashes/sha3.js'

import type { Observation, ObservedAccess, ObservedHash } from '../../src/access/observation.ts'
import { factsOf, type TransactionFacts } from '../../src/access/transaction-facts.ts'
import type { Keccak } from '../../src/access/word.ts'

const LONGEST_PREIMAGE = 256

/** Keccak that keeps the short preimages it hashes; hand it to the chain rules of the VM. */
export class RecordingKeccak {
  readonly hashes: ObservedHash[] = []
  isRecording = false
  readonly #keccak: Keccak

  constructor(keccak: Keccak = keccak_256) {
    this.#keccak = keccak
  }

  readonly keccak256 = (bytes: Uint8Array): Uint8Array => {
    const hash = this.#keccak(bytes)
    if (this.isRecording && bytes.length <= LONGEST_PREIMAGE) {
      this.hashes.push({ hash, preimage: bytes.slice() })
    }
    return hash
  }
}

interface TouchedSlot {
  readonly address: Address
  readonly key: Uint8Array
  readonly value: Uint8Array
}

/** Stock's state manager with a record of what is asked of it while `isRecording`. */
export class RecordingStateManager extends MerkleStateManager {
  isRecording = false
  readonly slots = new Map<string, TouchedSlot>()
  readonly codes = new Map<string, Address>()
  readonly puts = new Map<string, { address: Address; before: Account | undefined }>()
  /** Slots, code and accounts in the order in which they were first touched. */
  readonly order: string[] = []

  override async getStorage(address: Address, key: Uint8Array): Promise<Uint8Array> {
    const value = await super.getStorage(address, key)
    if (this.isRecording) {
      this.#note(this.slots, `slot ${address} ${Buffer.from(key).toString('hex')}`, () => ({
        address,
        key: key.slice(),
        value: value.slice(),
      }))
    }
    return value
  }

  override async getCode(address: Address): Promise<Uint8Array> {
    if (this.isRecording) this.#note(this.codes, `code ${address}`, () => address)
    return await super.getCode(address)
  }

  override async putAccount(address: Address, account: Account | undefined): Promise<void> {
    if (this.isRecording && !this.puts.has(`put ${address}`)) {
      const before = await this.getAccount(address)
      this.#note(this.puts, `put ${address}`, () => ({ address, before }))
    }
    await super.putAccount(address, account)
  }

  clearRecord(): void {
    for (const part of [this.slots, this.codes, this.puts]) part.clear()
    this.order.length = 0
  }

  #note<Noted>(notes: Map<string, Noted>, name: string, make: () => Noted): void {
    if (notes.has(name)) return
    notes.set(name, make())
    this.order.push(name)
  }
}

/** One transaction of stock with what it touched. */
export interface RecordedTransaction {
  readonly facts: TransactionFacts
  /** Of the called account before the transaction; undefined for a creation and for an empty account. */
  readonly codeHash: Uint8Array | undefined
  readonly observation: Observation
}

/** Records every transaction that `vm` runs from now on; the VM's state and keccak must be recording. */
export function recordTransactions(
  vm: VM,
  crypto: RecordingKeccak,
  coinbase: Uint8Array,
): RecordedTransaction[] {
  const state = vm.stateManager as RecordingStateManager
  const recorded: RecordedTransaction[] = []
  let codeHash: Uint8Array | undefined
  const setRecording = (isOn: boolean): void => {
    state.isRecording = isOn
    crypto.isRecording = isOn
  }
  vm.events.on('beforeTx', async (tx, proceed) => {
    const called = tx.to === undefined ? undefined : await state.getAccount(tx.to)
    codeHash = called?.isContract() ? called.codeHash.slice() : undefined
    state.clearRecord()
    crypto.hashes.length = 0
    setRecording(true)
    proceed?.()
  })
  vm.events.on('afterTx', async ({ transaction }, proceed) => {
    setRecording(false)
    const tx = transaction as TypedTransaction
    recorded.push({
      facts: factsOf(tx, { coinbase, sender: tx.getSenderAddress().bytes }),
      codeHash,
      observation: {
        accesses: await accessesOf(state, tx.getSenderAddress()),
        hashes: [...crypto.hashes],
      },
    })
    proceed?.()
  })
  return recorded
}

async function accessesOf(
  state: RecordingStateManager,
  sender: Address,
): Promise<ObservedAccess[]> {
  const accesses: ObservedAccess[] = []
  for (const name of state.order) {
    const slot = state.slots.get(name)
    const code = state.codes.get(name)
    const put = state.puts.get(name)
    if (slot !== undefined) {
      const { address, key, value } = slot
      const after = await state.getStorage(address, key)
      const kind = Buffer.compare(value, after) === 0 ? 'read' : 'write'
      accesses.push({ field: 'slot', address: address.bytes, key, kind, value })
    } else if (code !== undefined) {
      accesses.push({ field: 'code', address: code.bytes, kind: 'read' })
    } else if (put !== undefined) {
      accesses.push(...(await changesOf(state, put.address, put.before, sender)))
    }
  }
  return accesses
}

async function changesOf(
  state: RecordingStateManager,
  changed: Address,
  before: Account | undefined,
  sender: Address,
): Promise<ObservedAccess[]> {
  const after = await state.getAccount(changed)
  const address = changed.bytes
  const [oldBalance, newBalance] = [before?.balance ?? 0n, after?.balance ?? 0n]
  const changes: ObservedAccess[] = []
  if ((before === undefined) !== (after === undefined)) {
    changes.push({ field: 'existence', address, kind: 'write' })
  }
  if ((before?.nonce ?? 0n) !== (after?.nonce ?? 0n)) {
    changes.push({ field: 'nonce', address, kind: 'write' })
  }
  if (oldBalance !== newBalance) {
    const isPaid = newBalance > oldBalance && !changed.equals(sender)
    changes.push({ field: 'balance', address, kind: isPaid ? 'delta' : 'write' })
  }
  return changes
}
