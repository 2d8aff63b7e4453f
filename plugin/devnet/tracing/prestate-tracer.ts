// prestateTracer: what a transaction finds in the state where it looks, or with diffMode what it changes.
// The authority on which accounts and slots count as looked at, as geth has it.
// Must be told of the transaction before it runs: it reads the state as it goes.
import type { InterpreterStep } from '@ethereumjs/evm'
import {
  Address,
  bigIntToHex,
  bytesToHex,
  equalsBytes,
  generateAddress,
  generateAddress2,
  hexToBytes,
  KECCAK256_NULL,
  type PrefixedHexString,
} from '@ethereumjs/util'
import type { VM } from '@ethereumjs/vm'

import { delegationIn } from './apply-authorizations.ts'
import type { ExecutionObserver } from './observe-execution.ts'
import { addressFromWord, callArguments, isCall, memoryRange, wordBytes } from './step-operands.ts'

export interface PrestateOptions {
  readonly diffMode: boolean
  readonly disableCode: boolean
  readonly disableStorage: boolean
  readonly includeEmpty: boolean
}

export interface PrestateAccount {
  balance?: string
  nonce?: number
  code?: string
  codeHash?: string
  storage?: Record<string, string>
}

export type Prestate = Record<string, PrestateAccount>

/** What the tracer has to know of the transaction. */
export interface TracedTransaction {
  readonly from: Address
  readonly to: Address | undefined
  readonly coinbase: Address
  /** Accounts that its authorisations speak for. */
  readonly authorities: readonly Address[]
}

interface Seen {
  readonly balance: bigint
  readonly nonce: bigint
  readonly code: Uint8Array
  readonly codeHash: Uint8Array
  readonly storage: Map<string, bigint>
}

export class PrestateTracer implements ExecutionObserver {
  readonly #vm: VM
  readonly #options: PrestateOptions
  readonly #seen = new Map<string, Seen>()
  readonly #created = new Set<string>()
  readonly #deleted = new Set<string>()

  constructor(vm: VM, options: PrestateOptions) {
    this.#vm = vm
    this.#options = options
  }

  async start({ from, to, coinbase, authorities }: TracedTransaction): Promise<void> {
    if (to !== undefined) await this.#lookAtDelegation(to)
    await this.#lookAt(from)
    if (to === undefined) {
      const created = await this.#nextCreation(from)
      this.#created.add(created.toString())
      await this.#lookAt(created)
    } else await this.#lookAt(to)
    await this.#lookAt(coinbase)
    for (const authority of authorities) await this.#lookAt(authority)
  }

  async step(step: InterpreterStep): Promise<void> {
    const { opcode, stack, address } = step
    const top = stack.at(-1)
    if (top === undefined) return
    const { code } = opcode
    if (code === 0x54 || code === 0x55) await this.#lookAtSlot(address, wordBytes(top))
    else if (looksAtAccount.has(code)) {
      await this.#lookAt(addressFromWord(top))
      if (code === 0xff) this.#destroy(address)
    } else if (isCall(code)) {
      const to = callArguments(step)?.to
      if (to === undefined) return
      await this.#lookAt(to)
      await this.#lookAtDelegation(to)
    } else if (code === 0xf0) await this.#create(await this.#nextCreation(address))
    else if (code === 0xf5 && stack.length >= 4) {
      const call = callArguments(step)!
      const init = memoryRange(step.memory, call.inputAt, call.inputLength)
      const salt = wordBytes(stack.at(-4)!)
      await this.#create(new Address(generateAddress2(address.bytes, salt, init)))
    }
  }

  async result(): Promise<Prestate | { post: Prestate; pre: Prestate }> {
    const { diffMode, includeEmpty } = this.#options
    const pre: Prestate = {}
    const post: Prestate = {}
    for (const [text, seen] of this.#seen) {
      const isShown = includeEmpty || !isEmpty(seen)
      if (!diffMode) {
        if (isShown) pre[text] = this.#shown(seen, seen.storage)
        continue
      }
      const isDeleted = this.#deleted.has(text)
      const changed = await this.#changes(text, seen)
      if (!isDeleted && changed === undefined) continue
      if (!isDeleted && changed !== undefined) post[text] = changed.account
      if (isShown) pre[text] = this.#shown(seen, isDeleted ? seen.storage : changed!.before)
    }
    return diffMode ? { post, pre } : pre
  }

  #destroy(address: Address): void {
    const text = address.toString()
    if (this.#vm.common.isActivatedEIP(6780) && !this.#created.has(text)) return
    this.#deleted.add(text)
  }

  async #create(address: Address): Promise<void> {
    await this.#lookAt(address)
    this.#created.add(address.toString())
  }

  async #nextCreation(creator: Address): Promise<Address> {
    const nonce = (await this.#vm.stateManager.getAccount(creator))?.nonce ?? 0n
    const bytes = nonce === 0n ? new Uint8Array(0) : hexToBytes(evenHex(nonce))
    return new Address(generateAddress(creator.bytes, bytes))
  }

  async #lookAtDelegation(address: Address): Promise<void> {
    if (!this.#vm.common.isActivatedEIP(7702)) return
    const target = delegationIn(await this.#vm.stateManager.getCode(address))
    if (target !== undefined) await this.#lookAt(new Address(target))
  }

  async #lookAt(address: Address): Promise<void> {
    const text = address.toString()
    if (this.#seen.has(text)) return
    this.#seen.set(text, await this.#read(address))
  }

  async #read(address: Address): Promise<Seen> {
    const { stateManager } = this.#vm
    const account = await stateManager.getAccount(address)
    return {
      balance: account?.balance ?? 0n,
      nonce: account?.nonce ?? 0n,
      code: await stateManager.getCode(address),
      codeHash: account?.codeHash ?? KECCAK256_NULL,
      storage: new Map(),
    }
  }

  async #lookAtSlot(address: Address, slot: Uint8Array): Promise<void> {
    if (this.#options.disableStorage) return
    await this.#lookAt(address)
    const { storage } = this.#seen.get(address.toString())!
    const key = bytesToHex(slot)
    if (!storage.has(key)) storage.set(key, await this.#readSlot(address, slot))
  }

  async #readSlot(address: Address, slot: Uint8Array): Promise<bigint> {
    const value = await this.#vm.stateManager.getStorage(address, slot)
    return value.length === 0 ? 0n : BigInt(bytesToHex(value))
  }

  /** Undefined where all is as before. */
  async #changes(text: string, seen: Seen): Promise<Changes | undefined> {
    const address = new Address(hexToBytes(text as PrefixedHexString))
    const now = await this.#read(address)
    const account: PrestateAccount = {}
    if (now.balance !== seen.balance) account.balance = bigIntToHex(now.balance)
    if (now.nonce !== seen.nonce) account.nonce = Number(now.nonce)
    if (!equalsBytes(now.codeHash, seen.codeHash)) {
      account.codeHash = bytesToHex(now.codeHash)
      if (!this.#options.disableCode) account.code = bytesToHex(now.code)
    }
    const before = new Map<string, bigint>()
    let isChanged = Object.keys(account).length > 0
    for (const [key, value] of seen.storage) {
      const newValue = await this.#readSlot(address, hexToBytes(key as PrefixedHexString))
      if (newValue === value) continue
      isChanged = true
      if (value !== 0n) before.set(key, value)
      if (newValue === 0n) continue
      account.storage ??= {}
      account.storage[key] = bytesToHex(wordBytes(newValue))
    }
    return isChanged ? { account, before } : undefined
  }

  #shown(seen: Seen, storage: ReadonlyMap<string, bigint>): PrestateAccount {
    const { disableCode } = this.#options
    const account: PrestateAccount = { balance: bigIntToHex(seen.balance) }
    if (seen.nonce > 0n) account.nonce = Number(seen.nonce)
    if (seen.code.length > 0) {
      if (!disableCode) account.code = bytesToHex(seen.code)
      account.codeHash = bytesToHex(seen.codeHash)
    }
    if (storage.size > 0) {
      account.storage = Object.fromEntries(
        [...storage].map(([key, value]) => [key, bytesToHex(wordBytes(value))]),
      )
    }
    return account
  }
}

interface Changes {
  readonly account: PrestateAccount
  readonly before: ReadonlyMap<string, bigint>
}

/** BALANCE, EXTCODESIZE, EXTCODECOPY, EXTCODEHASH, SELFDESTRUCT. */
const looksAtAccount = new Set([0x31, 0x3b, 0x3c, 0x3f, 0xff])

function isEmpty({ balance, nonce, code }: Seen): boolean {
  return balance === 0n && nonce === 0n && code.length === 0
}

function evenHex(value: bigint): PrefixedHexString {
  const digits = value.toString(16)
  return `0x${digits.length % 2 === 0 ? digits : `0${digits}`}`
}
