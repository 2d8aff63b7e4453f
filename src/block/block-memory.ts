// Owns the shared buffers of an executor and the base values that they keep from block to block.
// Authority on when kept values are still true: only for the same state manager, only while its state
// root is the one that our last block left, only if that root has been seen to change with a block, and
// only if the root is known to show every write. A flat state counts its changes, which says the same.

import { randomInt } from 'node:crypto'
import type { StateManagerInterface } from '@ethereumjs/common'
import { MerkleStateManager } from '@ethereumjs/statemanager'
import { equalsBytes } from '@ethereumjs/util'
import type { RecordId } from '../ids.ts'
import { nativeAtomics } from '../memory/atomics.ts'
import { ACCOUNT, BASE, controlWords, SLOT } from '../memory/layout.ts'
import { RegionAllocator, SharedRegion } from '../memory/shared-region.ts'
import { LocationTable } from '../mvcc/location-table.ts'
import { VersionStore } from '../mvcc/version-store.ts'
import { FlatState, flatDataOf } from '../state/flat-state.ts'

const MIB = 1024 * 1024
/** 256 KiB; chains stay short up to some 100,000 records, and longer ones only get slower. */
const BUCKETS = 1 << 16
/** Above this share of the state region, kept values are forgotten instead of added to. */
const KEEP_SHARE = 0.5
/** Control words are made for this many transactions at least, so that few blocks need new ones. */
const LEAST_TRANSACTIONS = 1024

export class BlockMemory {
  readonly state: SharedRegion
  readonly block: SharedRegion
  readonly buckets: Int32Array
  /** Chosen at random per executor, so that nobody can craft keys that share a bucket. */
  readonly seed = randomInt(2 ** 32)
  control: Int32Array
  /** Code that lies in the state region, by hash: many accounts share one code. */
  readonly codePlaces = new Map<string, number>()
  /**
   * Change with every set of buffers and with every emptying of the state region; workers keep what
   * they made over memory only while both are the same. Never used twice, not even by another memory.
   */
  memoryGeneration = nextGeneration()
  stateGeneration = nextGeneration()
  readonly #stateAllocator: RegionAllocator
  readonly #blockAllocator: RegionAllocator
  #table: LocationTable
  #flatId = 0
  #store: VersionStore
  #manager: WeakRef<StateManagerInterface> | undefined
  #root: Uint8Array | undefined
  #changes: number | undefined
  /** What the last block was run on and left, trusted or not. */
  #lastManager: WeakRef<StateManagerInterface> | undefined
  #lastRoot: Uint8Array | undefined

  constructor(maxStateMiB: number, maxBlockMiB: number) {
    this.state = SharedRegion.create(maxStateMiB * MIB)
    this.block = SharedRegion.create(maxBlockMiB * MIB)
    this.buckets = new Int32Array(new SharedArrayBuffer(BUCKETS * 4))
    this.control = newControl(LEAST_TRANSACTIONS)
    this.#stateAllocator = new RegionAllocator(this.state)
    this.#blockAllocator = new RegionAllocator(this.block)
    this.#table = this.#newTable()
    this.#store = this.#newStore()
  }

  get table(): LocationTable {
    return this.#table
  }
  get store(): VersionStore {
    return this.#store
  }
  get blockAllocator(): RegionAllocator {
    return this.#blockAllocator
  }
  get stateAllocator(): RegionAllocator {
    return this.#stateAllocator
  }

  /**
   * Empties everything that belongs to one block and makes room for `transactions`. `flatId` is the id of the
   * flat state that workers read in the block; 0 = none.
   */
  beginBlock(transactions: number, flatId = 0): void {
    const words = controlWords(transactions)
    if (words > this.control.length) {
      this.control = newControl(transactions * 2)
      this.memoryGeneration = nextGeneration()
      this.#store = this.#newStore()
    } else {
      this.control.fill(0, 0, words)
    }
    this.block.reset()
    this.#blockAllocator.forget()
    // Code that was found in a flat state stayed there.
    if (flatId !== this.#flatId) this.forget()
    this.#flatId = flatId
    if (this.state.used() * 4 > this.state.buffer.maxByteLength * KEEP_SHARE) this.forget()
  }

  /**
   * Keeps the base values if they are still true for `manager`, forgets them otherwise.
   * To be called before anything of the block is written.
   */
  async adopt(manager: StateManagerInterface): Promise<void> {
    const changes = flatDataOf(manager)?.changes
    // A flat state tells by itself whether anything was changed, root or not.
    if (changes !== undefined && changes === this.#changes && this.#manager?.deref() === manager) {
      return
    }
    if (this.#root !== undefined && this.#manager?.deref() === manager && showsAllWrites(manager)) {
      try {
        if (equalsBytes(await manager.getStateRoot(), this.#root)) return
      } catch {
        // A state manager without roots proves nothing.
      }
    }
    this.forget()
  }

  /**
   * A block is in `manager`'s state, whose root is now `root`; `undefined`: it is not known yet. `changes` is
   * a flat state's count of its changes at that time.
   */
  settle(
    manager: StateManagerInterface,
    root: Uint8Array | undefined,
    changes: number | undefined,
  ): void {
    this.#changes = changes
    if (root === undefined) {
      this.#manager = new WeakRef(manager)
      this.#lastManager = undefined
      this.#lastRoot = undefined
      this.#root = undefined
      return
    }
    // Every transaction changes a nonce, so a root that stays from block to block proves nothing, and
    // neither does the first one seen.
    const isProof =
      this.#lastRoot !== undefined &&
      this.#lastManager?.deref() === manager &&
      !equalsBytes(this.#lastRoot, root)
    this.#lastManager = new WeakRef(manager)
    this.#lastRoot = Uint8Array.from(root)
    this.#manager = isProof || changes !== undefined ? this.#lastManager : undefined
    this.#root = isProof ? this.#lastRoot : undefined
  }

  /** Forgets all base values. Only while no worker runs. */
  forget(): void {
    this.#manager = undefined
    this.#root = undefined
    this.#changes = undefined
    this.buckets.fill(0)
    this.codePlaces.clear()
    this.state.reset()
    this.#stateAllocator.forget()
    this.stateGeneration = nextGeneration()
  }

  /** Forgets the base values of one account: somebody wrote it outside of the transactions. */
  forgetAccount(address: Uint8Array): void {
    this.#forget(() => {
      const record = this.#table.account(address)
      const words = this.state.reach(record + ACCOUNT.WORDS)
      words[record + ACCOUNT.STATUS] = BASE.UNKNOWN
      words[record + ACCOUNT.CODE_STATUS] = BASE.UNKNOWN
    })
  }

  /** Forgets an account and its storage. */
  forgetWholeAccount(address: Uint8Array): void {
    this.forgetAccount(address)
    this.#forget(() => {
      const record = this.#table.account(address)
      // Finding its slots would mean going through all that there are.
      if (this.state.words[record + ACCOUNT.HAS_SLOTS] !== 0) this.forget()
    })
  }

  forgetSlot(address: Uint8Array, key: Uint8Array): void {
    this.#forget(() => {
      const record = this.#table.slot(this.#table.account(address), key)
      this.state.reach(record + SLOT.WORDS)[record + SLOT.STATUS] = BASE.UNKNOWN
    })
  }

  /** Where memory is full, it is emptied: a write to the state must not fail for it. */
  #forget(one: () => void): void {
    try {
      one()
    } catch {
      this.forget()
    }
  }

  /**
   * Calls `visit` for every slot of one of `accounts` that the table knows. Goes through the whole
   * table, so it is to be called once for all accounts.
   */
  forEachSlot(accounts: Iterable<RecordId>, visit: (slot: RecordId) => void): void {
    const owners = new Set<number>()
    for (const account of accounts) {
      const words = this.state.reach(account + ACCOUNT.WORDS)
      if (words[account + ACCOUNT.HAS_SLOTS] !== 0) owners.add(account)
    }
    if (owners.size === 0) return
    this.#table.forEach((record, isSlot) => {
      if (isSlot && owners.has(this.state.words[record + SLOT.ACCOUNT])) visit(record)
    })
  }

  #newTable(): LocationTable {
    return new LocationTable(
      this.buckets,
      this.seed,
      this.state,
      this.#stateAllocator,
      nativeAtomics,
    )
  }

  #newStore(): VersionStore {
    return new VersionStore(
      this.control,
      this.state,
      this.block,
      this.#blockAllocator,
      nativeAtomics,
    )
  }
}

/**
 * Whether the root that `manager` tells has every write in it. Stock's manager leaves out those made
 * before a checkpoint that is open: until it is closed they are in the caches alone. Of managers that are
 * not stock's nothing is known.
 */
function showsAllWrites(manager: StateManagerInterface): boolean {
  if (manager instanceof FlatState) return true
  if (!(manager instanceof MerkleStateManager)) return false
  return (manager as unknown as { _checkpointCount: unknown })._checkpointCount === 0
}

let generations = 0
function nextGeneration(): number {
  return ++generations
}

function newControl(transactions: number): Int32Array {
  return new Int32Array(new SharedArrayBuffer(controlWords(transactions) * 4))
}
