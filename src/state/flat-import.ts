// Fills a flat state from elsewhere: an alloc, or another state manager.
// Authority on what an import must prove: a state that was copied has the root of the one it was copied
// from. Must not be used while a checkpoint is open.

import type { GenesisState, StateManagerInterface } from '@ethereumjs/common'
import {
  type Address,
  bytesToHex,
  createAccount,
  createAddressFromString,
  equalsBytes,
  hexToBytes,
  KECCAK256_NULL,
  KECCAK256_RLP,
  type PrefixedHexString,
  setLengthLeft,
  toBytes,
  unpadBytes,
} from '@ethereumjs/util'
import { ParallelError } from '../errors.ts'
import type { DiskData } from './disk-data.ts'
import { FlatData } from './flat-data.ts'
import { DiskImportWay, FlatImportWay, type ImportWay } from './import-way.ts'

/** An account of an alloc; numbers as bigints or in hex. */
export interface AllocAccount {
  readonly balance?: bigint | PrefixedHexString
  readonly nonce?: bigint | PrefixedHexString
  readonly code?: Uint8Array | PrefixedHexString
  /** Values by slot, in hex of up to 32 bytes. */
  readonly storage?: Readonly<Record<string, string>>
}

/** Accounts by address, as an object or one after the other. */
export type Alloc =
  | Readonly<Record<string, AllocAccount>>
  | Iterable<readonly [address: string, account: AllocAccount]>
  | AsyncIterable<readonly [address: string, account: AllocAccount]>

/** What to copy of a state: tries know only the hashes of their keys. */
export interface StateKeys {
  readonly address: Address
  readonly slots: Iterable<Uint8Array>
}

export interface ImportOptions {
  /** Called every 1,000 accounts and at the end. */
  onProgress?: (progress: { accounts: number; slots: number }) => void
}

/** Between progress reports; also what is gathered of the past before it is let go. */
const BATCH = 1_000

type ImportTarget = FlatData | DiskData

/** Counts what is imported, and lets go of what was before. */
class Progress {
  accounts = 0
  slots = 0
  readonly #way: ImportWay
  readonly #options: ImportOptions

  constructor(way: ImportWay, options: ImportOptions) {
    this.#way = way
    this.#options = options
  }

  accountDone(): void {
    this.accounts++
    if (this.accounts % BATCH !== 0) return
    this.#way.letGo()
    this.tell()
  }

  tell(): void {
    this.#options.onProgress?.({ accounts: this.accounts, slots: this.slots })
  }
}

/** What `fill` makes of a state, or, where it fails, the state as it was. */
async function importing(
  data: ImportTarget,
  options: ImportOptions,
  fill: (progress: Progress) => Promise<void>,
): Promise<Uint8Array> {
  const way = data instanceof FlatData ? new FlatImportWay(data) : new DiskImportWay(data)
  const progress = new Progress(way, options)
  try {
    await fill(progress)
    const root = data.root()
    progress.tell()
    way.finish()
    return root
  } catch (error) {
    way.takeBack()
    throw error
  }
}

/** Puts a genesis state: address -> balance | [balance, code, storage, nonce]. */
export async function putGenesis(
  manager: StateManagerInterface,
  genesis: GenesisState,
): Promise<void> {
  for (const [name, state] of Object.entries(genesis)) {
    const address = createAddressFromString(name)
    const [balance, code, storage, nonce] = Array.isArray(state) ? state : [state]
    await manager.putAccount(address, createAccount({ balance, nonce }))
    if (code !== undefined) await manager.putCode(address, toBytes(code))
    for (const [key, value] of storage ?? []) {
      await manager.putStorage(address, toBytes(key), toBytes(value))
    }
  }
}

/**
 * Puts the accounts of an alloc; returns the state root.
 * @throws ParallelError `INVALID_ARGUMENT` for slots or values of more than 32 bytes
 */
export async function importAlloc(
  data: ImportTarget,
  alloc: Alloc,
  options: ImportOptions = {},
): Promise<Uint8Array> {
  return importing(data, options, async (progress) => {
    for await (const [name, account] of entriesOf(alloc)) {
      const address = createAddressFromString(withPrefix(name)).bytes
      const code = bytesOf(account.code)
      const codeHash = code.length === 0 ? KECCAK256_NULL : data.keccak(code)
      data.putCode(codeHash, code)
      data.setAccount(address, {
        nonce: BigInt(account.nonce ?? 0n),
        balance: BigInt(account.balance ?? 0n),
        codeHash,
        storageRoot: KECCAK256_RLP,
      })
      for (const [key, value] of Object.entries(account.storage ?? {})) {
        progress.slots++
        data.setSlot(address, setLengthLeft(wordOf(key), 32), unpadBytes(wordOf(value)))
      }
      progress.accountDone()
    }
  })
}

/**
 * Copies accounts and slots of another state.
 * @throws ParallelError `INVALID_ARGUMENT` if that gives another root: `keys` does not have all
 */
export async function importState(
  data: ImportTarget,
  source: StateManagerInterface,
  keys: Iterable<StateKeys> | AsyncIterable<StateKeys>,
  options: ImportOptions = {},
): Promise<Uint8Array> {
  return importing(data, options, async (progress) => {
    const expected = await source.getStateRoot()
    for await (const { address, slots } of keys) {
      const account = await source.getAccount(address)
      if (account === undefined) continue
      if (account.isContract()) data.putCode(account.codeHash, await source.getCode(address))
      data.setAccount(address.bytes, account)
      for (const key of slots) {
        progress.slots++
        data.setSlot(address.bytes, key, unpadBytes(await source.getStorage(address, key)))
      }
      progress.accountDone()
    }
    const root = data.root()
    if (equalsBytes(root, expected)) return
    throw new ParallelError(
      'INVALID_ARGUMENT',
      `What was imported has the state root ${bytesToHex(root)} and not ${bytesToHex(expected)}: accounts or slots are missing among the keys`,
    )
  })
}

function entriesOf(
  alloc: Alloc,
): Iterable<readonly [string, AllocAccount]> | AsyncIterable<readonly [string, AllocAccount]> {
  if (Symbol.iterator in alloc || Symbol.asyncIterator in alloc) return alloc
  return Object.entries(alloc)
}

function bytesOf(value: Uint8Array | string | undefined): Uint8Array {
  if (value === undefined) return new Uint8Array(0)
  if (value instanceof Uint8Array) return value
  const digits = value.replace(/^0x/, '')
  return hexToBytes(`0x${digits.length % 2 === 0 ? digits : `0${digits}`}`)
}

function wordOf(text: string): Uint8Array {
  const bytes = bytesOf(text)
  if (bytes.length <= 32) return bytes
  throw new ParallelError(
    'INVALID_ARGUMENT',
    `An alloc has ${text}, which is no 32 bytes of storage`,
  )
}

function withPrefix(name: string): PrefixedHexString {
  return name.startsWith('0x') ? (name as PrefixedHexString) : `0x${name}`
}
