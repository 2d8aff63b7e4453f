// A state manager whose accounts, slots and code lie flat in shared memory, with one trie update per root.
// Authority on what each call of ethereumjs' interface does here: what stock's MerkleStateManager does, and
// where that depends on its caches, what Ethereum's rules say. Must not hold state of its own.

import type {
  AccountFields as AccountUpdate,
  Common,
  GenesisState,
  Proof,
  StateManagerInterface,
  StorageDump,
  StorageRange,
} from '@ethereumjs/common'
import { consumeBAL, OriginalStorageCache } from '@ethereumjs/statemanager'
import {
  Account,
  type Address,
  type BALJSONBlockAccessList,
  EthereumJSErrorWithoutCode,
  equalsBytes,
  KECCAK256_RLP,
  unpadBytes,
} from '@ethereumjs/util'
import { ParallelError } from '../errors.ts'
import { DiskData } from './disk-data.ts'
import { dumpDiskRange, dumpDiskStorage, proveOnDisk } from './disk-walk.ts'
import type { EntryStore } from './entry-store.ts'
import { CopiedData } from './flat-copy.ts'
import { FlatData } from './flat-data.ts'
import {
  type Alloc,
  type ImportOptions,
  importAlloc,
  importState,
  putGenesis,
  type StateKeys,
} from './flat-import.ts'
import type { FlatStore } from './flat-store.ts'
import { dumpStorage, dumpStorageRange, prove } from './flat-walk.ts'
import { hexOf } from './hex.ts'
import { isUnmodified } from './unmodified.ts'

type Data = FlatData | CopiedData | DiskData

/** Who may look behind a state manager; the executor's workers read its memory. */
let dataOf: (state: FlatState) => Data | undefined
let marksOf: (state: FlatState) => readonly number[]

/**
 * A flat state; see `createFlatState`. All of it works as in stock's `MerkleStateManager`, except that
 *
 * - state roots can be gone back to only while they are among the kept ones (`UNKNOWN_STATE_ROOT`),
 * - an account's `storageRoot` follows from its slots: it is the one computed with the last state root, and
 *   putting an account with the root of empty storage empties it, unless slots of it were written since the
 *   last state root: stock's caches, too, keep these whatever root is put with the account,
 * - balances must be below 2^256 wei (`UNSUPPORTED_BALANCE`) and nonces below 2^64.
 */
export class FlatState implements StateManagerInterface {
  readonly common: Common
  readonly originalStorageCache: OriginalStorageCache
  readonly #data: Data
  /** Where each open checkpoint began. */
  #marks: number[] = []

  static {
    // A proxy of a state is none.
    dataOf = (state) => (#data in state ? state.#data : undefined)
    marksOf = (state) => state.#marks
  }

  /** Not for callers: use `createFlatState`. */
  constructor(common: Common, data: Data) {
    this.common = common
    this.#data = data
    this.originalStorageCache = new OriginalStorageCache(this.getStorage.bind(this))
  }

  async getAccount(address: Address): Promise<Account | undefined> {
    if (this.#hashing !== undefined) await this.#hashingOf(address)
    return this.#account(address)
  }

  async putAccount(address: Address, account?: Account): Promise<void> {
    if (this.#hashing !== undefined) await this.#hashing
    this.#put(address, account)
  }

  async deleteAccount(address: Address): Promise<void> {
    if (this.#hashing !== undefined) await this.#hashing
    this.#data.setAccount(address.bytes, undefined)
  }

  async modifyAccountFields(address: Address, fields: AccountUpdate): Promise<void> {
    if (this.#hashing !== undefined) await this.#hashing
    const account = this.#account(address) ?? new Account()
    if (fields.nonce !== undefined) account.nonce = fields.nonce
    if (fields.balance !== undefined) account.balance = fields.balance
    if (fields.storageRoot !== undefined) account.storageRoot = fields.storageRoot
    if (fields.codeHash !== undefined) account.codeHash = fields.codeHash
    this.#put(address, account)
  }

  async putCode(address: Address, value: Uint8Array): Promise<void> {
    if (this.#hashing !== undefined) await this.#hashing
    const codeHash = this.#keccak(value)
    this.#data.putCode(codeHash, value)
    const account = this.#account(address) ?? new Account()
    account.codeHash = codeHash
    this.#put(address, account)
  }

  async getCode(address: Address): Promise<Uint8Array> {
    if (this.#hashing !== undefined) await this.#hashingOf(address)
    const fields = this.#data.account(address.bytes)
    return fields === undefined ? new Uint8Array(0) : this.#data.code(fields.codeHash)
  }

  async getCodeSize(address: Address): Promise<number> {
    return (await this.getCode(address)).length
  }

  async getStorage(address: Address, key: Uint8Array): Promise<Uint8Array> {
    checkKey(key)
    return this.#data.slot(address.bytes, key)
  }

  async putStorage(address: Address, key: Uint8Array, value: Uint8Array): Promise<void> {
    checkKey(key)
    if (value.length > 32) {
      throw EthereumJSErrorWithoutCode('Storage value cannot be longer than 32 bytes')
    }
    if (this.#hashing !== undefined) await this.#hashing
    if (this.#data.account(address.bytes) === undefined) {
      throw EthereumJSErrorWithoutCode('putStorage() called on non-existing account')
    }
    this.#data.setSlot(address.bytes, key, unpadBytes(value))
  }

  async clearStorage(address: Address): Promise<void> {
    if (this.#hashing !== undefined) await this.#hashing
    // Stock makes the account exist.
    if (this.#account(address) === undefined) this.#put(address, new Account())
    else this.#data.clearSlots(address.bytes)
  }

  async checkpoint(): Promise<void> {
    if (this.#hashing !== undefined) await this.#hashing
    this.#marks.push(this.#data.mark())
  }

  /** @throws ParallelError `STORE_WRITE_FAILED`: the checkpoint is still open, to be reverted or committed again */
  async commit(): Promise<void> {
    if (this.#marks.length === 0) {
      throw EthereumJSErrorWithoutCode('trying to commit when not checkpointed')
    }
    // Before the checkpoint is gone: storing can fail, and then it can still be reverted.
    if (this.#marks.length === 1) this.#data.committed()
    this.#marks.pop()
    this.#leave()
  }

  async revert(): Promise<void> {
    if (this.#hashing !== undefined) await this.#hashing
    const mark = this.#marks.pop()
    if (mark === undefined) {
      throw EthereumJSErrorWithoutCode('trying to revert when not checkpointed')
    }
    this.#data.takeBack(mark)
    // Nothing is stored: what is there has none of what was taken back.
    if (this.#marks.length === 0) this.#data.keepRoot()
    this.#leave()
  }

  #leave(): void {
    if (this.#marks.length === 0) this.originalStorageCache.clear()
  }

  async getStateRoot(): Promise<Uint8Array> {
    await this.#original?.hashing
    const root = this.#data.root()
    if (this.#marks.length === 0) this.#data.committed()
    return root.slice()
  }

  /**
   * Goes to the state that had this root.
   * @throws ParallelError `UNKNOWN_STATE_ROOT` if it is not among the kept ones
   * @throws ParallelError `INVALID_ARGUMENT` while a checkpoint is open
   * @throws ParallelError `STORE_WRITE_FAILED`, and stays where it is
   */
  async setStateRoot(stateRoot: Uint8Array, _clearCache?: boolean): Promise<void> {
    await this.#original?.hashing
    if (equalsBytes(this.#data.root(), stateRoot)) return
    if (this.#marks.length > 0) {
      throw new ParallelError(
        'INVALID_ARGUMENT',
        'The state root of a flat state cannot be set while a checkpoint is open',
      )
    }
    if (this.#data.goTo(stateRoot)) return
    throw new ParallelError(
      'UNKNOWN_STATE_ROOT',
      `State root 0x${hexOf(stateRoot)} is not one of those that the flat state keeps; raise keptRoots`,
    )
  }

  async hasStateRoot(root: Uint8Array): Promise<boolean> {
    await this.#original?.hashing
    return this.#data.has(root)
  }

  /**
   * Keeps a state root no longer, so that what only leads there takes no memory; for those who bound what
   * is kept by other means than a number of roots. The present state's root stays, and so do copies. With
   * `memoryBytes` it does nothing: such a state keeps `keptRoots`.
   */
  forgetStateRoot(root: Uint8Array): void {
    this.#original?.forgetRoot(root)
  }

  async dumpStorage(address: Address): Promise<StorageDump> {
    const data = this.#data
    if (data instanceof DiskData) return dumpDiskStorage(data, this.common, address)
    return this.#use(data, (flat) => dumpStorage(flat, address))
  }

  async dumpStorageRange(address: Address, startKey: bigint, limit: number): Promise<StorageRange> {
    if (!Number.isSafeInteger(limit) || limit < 0) {
      throw EthereumJSErrorWithoutCode('Limit is not a proper uint.')
    }
    const data = this.#data
    if (data instanceof DiskData) {
      return dumpDiskRange(data, this.common, address, startKey, limit)
    }
    return this.#use(data, (flat) => dumpStorageRange(flat, address, startKey, limit))
  }

  /** An EIP-1186 proof of an account and slots of it, as `getMerkleStateProof` of stock gives it. */
  async getProof(address: Address, storageSlots: readonly Uint8Array[] = []): Promise<Proof> {
    const data = this.#data
    if (data instanceof DiskData) return proveOnDisk(data, this.common, address, storageSlots)
    return this.#use(data, (flat) => prove(flat, address, storageSlots))
  }

  async consumeBAL(bal: BALJSONBlockAccessList, expectedStateRoot?: Uint8Array): Promise<void> {
    await consumeBAL(this, bal, expectedStateRoot)
  }

  /** Puts a genesis state: address -> balance | [balance, code, storage, nonce]. */
  async generateCanonicalGenesis(genesis: GenesisState): Promise<void> {
    if (this.#marks.length > 0) {
      throw EthereumJSErrorWithoutCode('Cannot create genesis state with uncommitted checkpoints')
    }
    await putGenesis(this, genesis)
  }

  /**
   * Puts the accounts of an alloc, of any number, and returns the state root. State roots from before are
   * not kept.
   * @throws ParallelError `INVALID_ARGUMENT` while a checkpoint is open
   */
  async importAlloc(alloc: Alloc, options?: ImportOptions): Promise<Uint8Array> {
    return importAlloc(await this.#importTarget(), alloc, options)
  }

  /**
   * Copies another state, of which tries tell the hashes of addresses and slots only: `keys` has to name
   * them all. Returns the state root, which is the other's. State roots from before are not kept.
   * @throws ParallelError `INVALID_ARGUMENT` if keys are missing, or while a checkpoint is open
   */
  async importState(
    source: StateManagerInterface,
    keys: Iterable<StateKeys> | AsyncIterable<StateKeys>,
    options?: ImportOptions,
  ): Promise<Uint8Array> {
    return importState(await this.#importTarget(), source, keys, options)
  }

  async #importTarget(): Promise<FlatData | DiskData> {
    await this.#hashing
    const data = this.#data
    const isCopy = data instanceof CopiedData || (data instanceof DiskData && data.isCopy)
    if (!isCopy && this.#marks.length === 0) return data
    const message = 'Only a flat state that is no copy and has no open checkpoint can import'
    throw new ParallelError('INVALID_ARGUMENT', message)
  }

  getAppliedKey(address: Uint8Array): Uint8Array {
    return this.#keccak(address)
  }

  clearCaches(): void {}

  /** Resolves when all that was stored is on the disk, so that a failure of power does not lose it. */
  async flushed(): Promise<void> {
    await this.#original?.hashing
    await this.#store?.flushed()
  }

  /** Ends the use of a store; the state must not be changed afterwards. Without a store, does nothing. */
  async close(): Promise<void> {
    await this.#original?.hashing
    const data = this.#data
    const isCopy = data instanceof CopiedData || (data instanceof DiskData && data.isCopy)
    if (!isCopy) await this.#store?.close()
  }

  /** A copy of what is committed, at no cost; what is changed there stays there. */
  shallowCopy(): FlatState {
    const common = this.common.copy()
    common.setHardfork(this.common.hardfork())
    const data = this.#data
    // Storage roots are those of the last state root, and so they are right from the start.
    if (this.#marks.length === 0) data.root()
    const [mark = data.mark()] = this.#marks
    if (!(data instanceof FlatData)) return new FlatState(common, data.copy(mark))
    // The block before may be refused: then the copy must be of what was before that.
    data.settle()
    const version = data.versionAt(mark)
    this.#marks = this.#marks.map((other) => other - mark)
    return new FlatState(common, new CopiedData(data, version))
  }

  #account(address: Address): Account | undefined {
    const fields = this.#data.account(address.bytes)
    if (fields === undefined) return undefined
    return new Account(fields.nonce, fields.balance, fields.storageRoot, fields.codeHash)
  }

  #put(address: Address, account: Account | undefined): void {
    this.#data.setAccount(address.bytes, account)
    if (account !== undefined && equalsBytes(account.storageRoot, KECCAK256_RLP)) {
      this.#data.emptyStorage(address.bytes)
    }
  }

  #keccak(bytes: Uint8Array): Uint8Array {
    const data = this.#data
    return data instanceof CopiedData ? data.base.keccak(bytes) : data.keccak(bytes)
  }

  /**
   * What to wait for before something is changed: the root of a block that may be refused. Nobody would have
   * to wait here, but who does not blocks the thread.
   */
  get #hashing(): Promise<void> | undefined {
    const data = this.#data
    return data instanceof FlatData && !data.isFollowed ? data.hashing : undefined
  }

  /** The same before an account is looked at, whose storage root others may be hashing. */
  async #hashingOf(address: Address): Promise<void> {
    if (this.#original?.isHashing(address.bytes) === true) await this.#hashing
  }

  /** Whose root may be out; a state on disk takes its roots at once. */
  get #original(): FlatData | undefined {
    const data = this.#data
    if (data instanceof DiskData) return undefined
    return data instanceof CopiedData ? data.base : data
  }

  get #store(): FlatStore | EntryStore | undefined {
    const data = this.#data
    if (data instanceof DiskData) return data.base.store
    return this.#original?.disk?.store
  }

  #use<T>(data: FlatData | CopiedData, use: (data: FlatData) => T): T {
    if (data instanceof CopiedData) return data.use(use)
    data.root()
    return use(data)
  }
}

/**
 * The memory of a flat state that is just that: no copy, which has no memory of its own, no subclass, and
 * without methods that somebody put on it, but for `covered` ones.
 */
export function flatDataOf(manager: object, covered: readonly string[] = []): FlatData | undefined {
  if (!isUnmodified(manager, FlatState, covered)) return undefined
  const data = dataOf(manager as FlatState)
  return data instanceof FlatData ? data : undefined
}

/** The same, if it has no open checkpoint. */
export function committedDataOf(
  manager: object,
  covered: readonly string[] = [],
): FlatData | undefined {
  const data = flatDataOf(manager, covered)
  return data !== undefined && marksOf(manager as FlatState).length === 0 ? data : undefined
}

function checkKey(key: Uint8Array): void {
  if (key.length !== 32) throw EthereumJSErrorWithoutCode('Storage key must be 32 bytes long')
}
