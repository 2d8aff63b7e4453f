// Records what stock's transactions touch, as an executor hands it to the template library: slots with
// the values first read, changed accounts, code, and what the EVM hashed.
// Authority on the observations of tests and figures. It must not change what stock does.

import { MerkleStateManager } from '@ethereumjs/statemanager'
import type { TypedTransaction } from '@ethereumjs/tx'
import { type Account, Address } from '@ethereumjs/util'
import type { VM } from '@ethereumjs/vm'
import { keccak_256 } from '@noble/hashes/sha3.js'

import type {
  Observation,
  ObservedAccess,
  ObservedCall,
  ObservedHash,
} from '../../src/access/observation.ts'
import { factsOf, type TransactionFacts } from '../../src/access/transaction-facts.ts'
import { compareBytes, type Keccak } from '../../src/access/word.ts'

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

interface Touched {
  readonly field: 'slot' | 'code' | 'account'
  readonly call: number
  readonly address: Address
  readonly key?: Uint8Array
}

/** Stock's state manager with a record of what is asked of it while `isRecording`. */
export class RecordingStateManager extends MerkleStateManager {
  isRecording = false
  /** The call that runs: 0 is the outermost. */
  call = 0
  /** What each call touched, in the order in which it was first touched. */
  readonly touched = new Map<string, Touched>()
  /** Slots with the value that they had first; accounts with what they were. */
  readonly firstValues = new Map<string, Uint8Array>()
  readonly firstAccounts = new Map<string, Account | undefined>()
  readonly written = new Set<string>()

  override async getStorage(address: Address, key: Uint8Array): Promise<Uint8Array> {
    const value = await super.getStorage(address, key)
    if (this.isRecording) {
      const name = slotName(address, key)
      if (!this.firstValues.has(name)) this.firstValues.set(name, value.slice())
      this.#note(name, { field: 'slot', call: this.call, address, key: key.slice() })
    }
    return value
  }

  override async putStorage(address: Address, key: Uint8Array, value: Uint8Array): Promise<void> {
    if (this.isRecording) this.written.add(`${this.call} ${slotName(address, key)}`)
    await super.putStorage(address, key, value)
  }

  override async getCode(address: Address): Promise<Uint8Array> {
    if (this.isRecording) this.#note(`code ${address}`, { field: 'code', call: this.call, address })
    return await super.getCode(address)
  }

  override async putAccount(address: Address, account: Account | undefined): Promise<void> {
    const name = address.toString()
    if (this.isRecording && !this.firstAccounts.has(name)) {
      this.firstAccounts.set(name, await this.getAccount(address))
      this.#note(name, { field: 'account', call: this.call, address })
    }
    await super.putAccount(address, account)
  }

  clearRecord(): void {
    this.call = 0
    for (const part of [this.touched, this.firstValues, this.firstAccounts, this.written]) {
      part.clear()
    }
  }

  #note(name: string, touched: Touched): void {
    const named = `${this.call} ${name}`
    if (!this.touched.has(named)) this.touched.set(named, touched)
  }
}

function slotName(address: Address, key: Uint8Array): string {
  return `slot ${address} ${Buffer.from(key).toString('hex')}`
}

/** One transaction of stock with what it touched. */
export interface RecordedTransaction {
  readonly facts: TransactionFacts
  /** Of the called account before the transaction; undefined for a creation and for an empty account. */
  readonly codeHash: Uint8Array | undefined
  readonly observation: Required<Observation>
}

/** Records every transaction that `vm` runs from now on; the VM's state and keccak must be recording. */
export function recordTransactions(
  vm: VM,
  crypto: RecordingKeccak,
  coinbase: Uint8Array,
): RecordedTransaction[] {
  const state = vm.stateManager as RecordingStateManager
  const recorded: RecordedTransaction[] = []
  const calls = recordCalls(vm, state)
  let codeHash: Uint8Array | undefined
  const setRecording = (isOn: boolean): void => {
    state.isRecording = isOn
    crypto.isRecording = isOn
  }
  vm.events.on('beforeTx', async (tx, proceed) => {
    codeHash = tx.to === undefined ? undefined : await codeHashOf(state, tx.to)
    state.clearRecord()
    crypto.hashes.length = 0
    calls.length = 0
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
        ...(await observationOf(state, tx.getSenderAddress(), calls)),
        hashes: [...crypto.hashes],
      },
    })
    proceed?.()
  })
  return recorded
}

/** A call whose place in the order of accesses is still the number of things touched. */
function recordCalls(vm: VM, state: RecordingStateManager): ObservedCall[] {
  const calls: ObservedCall[] = []
  const { evm } = vm
  const runCall = evm.runCall.bind(evm)
  evm.runCall = async (options) => {
    const { message } = options
    if (message === undefined || !state.isRecording) return await runCall(options)
    const parent = state.call
    const after = state.touched.size
    const account = (message.to ?? message.caller).bytes
    const codeAccount = message.to === undefined ? account : message.codeAddress.bytes
    calls.push({
      parent,
      after,
      sender: message.caller.bytes,
      account,
      codeAccount,
      codeHash: await codeHashOf(state, new Address(codeAccount)),
      data: message.data.slice(),
      sendsValue: message.value > 0n && !message.delegatecall,
      isCreation: message.to === undefined,
    })
    state.call = calls.length
    try {
      return await runCall(options)
    } finally {
      state.call = parent
    }
  }
  return calls
}

async function codeHashOf(
  state: RecordingStateManager,
  address: Address,
): Promise<Uint8Array | undefined> {
  const account = await state.getAccount(address)
  return account?.isContract() ? account.codeHash.slice() : undefined
}

async function observationOf(
  state: RecordingStateManager,
  sender: Address,
  calls: readonly ObservedCall[],
): Promise<{ accesses: ObservedAccess[]; calls: ObservedCall[] }> {
  const accesses: ObservedAccess[] = []
  /** How many accesses there are for the first so many things touched. */
  const counts = [0]
  for (const [name, { field, call, address, key }] of state.touched) {
    if (field === 'code') {
      accesses.push({ field, address: address.bytes, kind: 'read', call })
    } else if (field === 'account') {
      const before = state.firstAccounts.get(address.toString())
      // Who sends value compares it with the balance.
      const isSpender =
        address.equals(sender) ||
        calls.some((each) => each.sendsValue && compareBytes(each.sender, address.bytes) === 0)
      for (const change of await changesOf(state, address, before, isSpender)) {
        accesses.push({ ...change, call })
      }
    } else {
      const value = state.firstValues.get(slotName(address, key!))!
      const isChanged = Buffer.compare(value, await state.getStorage(address, key!)) !== 0
      const kind = isChanged && state.written.has(name) ? 'write' : 'read'
      accesses.push({ field, address: address.bytes, key: key!, kind, value, call })
    }
    counts.push(accesses.length)
  }
  for (const { sender: spender, sendsValue, parent } of calls) {
    if (sendsValue)
      accesses.push({ field: 'balance', address: spender, kind: 'read', call: parent })
  }
  return { accesses, calls: calls.map((call) => ({ ...call, after: counts[call.after]! })) }
}

async function changesOf(
  state: RecordingStateManager,
  changed: Address,
  before: Account | undefined,
  isSpender: boolean,
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
    const isPaid = newBalance > oldBalance && !isSpender
    changes.push({ field: 'balance', address, kind: isPaid ? 'delta' : 'write' })
  }
  return changes
}
