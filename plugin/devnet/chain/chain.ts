// The chain: blocks, and the state after each of them.
// The authority on what the head is and which state belongs to a block: the one its transactions left,
// changed by what setters (hardhat_setBalance and the like) did while it was the head.
// Must not make blocks (the miner does) and must be changed by one caller at a time.

import type { Block } from '@ethereumjs/block'
import { equalsBytes } from '@ethereumjs/util'
import type { VM } from '@ethereumjs/vm'
import type { FlatState } from '../../../src/index.ts'
import { type ChainRules, createChainVm } from '../chain-rules.ts'
import type { Hex } from '../hex.ts'
import { invalidInput } from '../rpc-error.ts'
import type { BlockArchive } from './block-archive.ts'
import { BlockRecords, type TransactionPlace } from './block-records.ts'
import type { EmptyRange } from './empty-range.ts'
import { LogIndex, logFilterOf } from './log-index.ts'
import { type SealedBlock, sealBlock } from './sealed-block.ts'
import { StateRoots } from './state-roots.ts'

/** Where a chain was: what it takes to go back there. */
export interface ChainMark {
  readonly number: bigint
  readonly stateRoot: Uint8Array
}

export class Chain {
  readonly rules: ChainRules
  readonly logs = new LogIndex()
  readonly #archive: BlockArchive
  readonly #records: BlockRecords
  #state: FlatState
  #roots: StateRoots
  #head!: SealedBlock

  private constructor(rules: ChainRules, state: FlatState, archive: BlockArchive) {
    this.rules = rules
    this.#archive = archive
    this.#records = new BlockRecords(rules, archive)
    this.#state = state
    this.#roots = new StateRoots(state)
  }

  /** A chain that begins with `genesis`, whose state is `state`. */
  static create(rules: ChainRules, state: FlatState, archive: BlockArchive, genesis: Block): Chain {
    const chain = new Chain(rules, state, archive)
    chain.#begin(genesis)
    return chain
  }

  /**
   * The chain that an archive has, up to the block whose state `state` is: a process that was killed may
   * have left one more. Undefined if there is none.
   * @throws Error if the state belongs to none of its blocks
   */
  static async open(
    rules: ChainRules,
    state: FlatState,
    archive: BlockArchive,
  ): Promise<Chain | undefined> {
    const chain = new Chain(rules, state, archive)
    if (chain.#records.last === -1) return undefined
    const root = await state.getStateRoot()
    const number = chain.#blockOfRoot(root)
    if (number === undefined) {
      throw new Error('The stored state belongs to no block of the stored chain; remove both')
    }
    chain.#records.truncate(number)
    chain.#head = chain.#records.byNumber(number) as SealedBlock
    chain.#roots.append(number, root, 0)
    for (const { first, range } of chain.#records.entries) {
      if (range === undefined) chain.logs.append(first, archive.logFilter(first))
    }
    return chain
  }

  /** The state that the next block runs on. Only the miner and setters change it. */
  get state(): FlatState {
    return this.#state
  }

  get head(): SealedBlock {
    return this.#head
  }

  get headNumber(): bigint {
    return this.#head.header.number
  }

  /** The root of the state that the next block runs on: not always that of the head's header. */
  get stateRoot(): Uint8Array {
    return this.#roots.at(Number(this.headNumber)) as Uint8Array
  }

  block(number: bigint): SealedBlock | undefined {
    if (number < 0n || number > this.headNumber) return undefined
    return number === this.headNumber ? this.#head : this.#records.byNumber(Number(number))
  }

  blockByHash(hash: Hex): SealedBlock | undefined {
    if (hash === this.#head.hash) return this.#head
    const number = this.#records.numberOf(hash)
    return number === undefined ? undefined : this.block(BigInt(number))
  }

  transaction(hash: Hex): TransactionPlace | undefined {
    return this.#records.transaction(hash)
  }

  /**
   * A copy of the state after block `number` to read from and to try things on.
   * @throws RpcError if it is not kept any more
   */
  async stateAt(number: bigint): Promise<FlatState> {
    const copy = this.#state.shallowCopy()
    if (number === this.headNumber) return copy
    const root = this.#roots.at(Number(number))
    if (root === undefined || !(await copy.hasStateRoot(root))) {
      throw invalidInput(`The state of block ${number} is not kept any more`)
    }
    await copy.setStateRoot(root)
    return copy
  }

  /** A VM on a state that {@link stateAt} returned. */
  vmOn(state: FlatState): Promise<VM> {
    return createChainVm(this.rules, state, { ...this.blockchain })
  }

  /** What ethereumjs asks for block hashes. */
  readonly blockchain = {
    getBlock: async (number: number): Promise<{ hash(): Uint8Array }> => {
      const sealed = this.block(BigInt(number))
      if (sealed === undefined) throw new Error(`there is no block ${number}`)
      return sealed.header
    },
    putBlock: async (): Promise<void> => {},
    shallowCopy() {
      return this
    },
  }

  /** Keeps the next block before its state is committed, so that the two cannot be lost apart. */
  prepare(sealed: SealedBlock): void {
    this.#records.prepare(sealed, logFilterOf(sealed.receipts))
  }

  /** Takes back what was prepared, where committing failed. */
  discard(sealed: SealedBlock): void {
    this.#records.discard(sealed)
  }

  /** Adds the next block, which was prepared; the state is its state already. */
  append(sealed: SealedBlock): void {
    const number = Number(sealed.header.number)
    this.#records.append(sealed)
    this.logs.append(number, logFilterOf(sealed.receipts))
    this.#head = sealed
    this.#roots.append(number, sealed.header.stateRoot, sealed.transactions.length)
  }

  appendRange(range: EmptyRange): void {
    this.#records.appendRange(range)
    this.#head = this.#records.byNumber(Number(range.last)) as SealedBlock
    this.#roots.append(Number(range.last), range.stateRoot, 0)
  }

  /** Lets `change` change the state below the next block, outside of any block. */
  async alterState(change: (state: FlatState) => Promise<void>): Promise<void> {
    const state = this.#state
    await state.checkpoint()
    try {
      await change(state)
      const root = await state.getStateRoot()
      this.#archive.noteRoot(Number(this.headNumber), root)
      await state.commit()
      this.#roots.replaceLast(root)
    } catch (error) {
      await state.revert()
      throw error
    }
  }

  /** Marks where the chain is. Until {@link forget}, the way back stays open. */
  mark(): ChainMark {
    const { stateRoot } = this
    this.#roots.hold(stateRoot)
    return { number: this.headNumber, stateRoot }
  }

  forget(mark: ChainMark): void {
    this.#roots.release(mark.stateRoot)
  }

  /** Goes back to `mark`, which is forgotten with that. */
  async restore(mark: ChainMark): Promise<void> {
    const number = Number(mark.number)
    this.#archive.noteRoot(number, mark.stateRoot)
    await this.#state.setStateRoot(mark.stateRoot)
    this.#records.truncate(number)
    this.logs.truncate(number)
    this.#head = this.#records.byNumber(number) as SealedBlock
    this.#roots.truncate(number, mark.stateRoot)
    this.forget(mark)
  }

  /** Begins anew with another state and block zero; all marks are void. */
  restart(state: FlatState, genesis: Block): void {
    this.#records.truncate(-1)
    this.logs.truncate(-1)
    this.#state = state
    this.#roots = new StateRoots(state)
    this.#begin(genesis)
  }

  async close(): Promise<void> {
    await this.#state.close()
    await this.#archive.close()
  }

  #begin(genesis: Block): void {
    const sealed = sealBlock(genesis, [], [])
    this.prepare(sealed)
    this.append(sealed)
  }

  /** The newest block after which the state had this root. */
  #blockOfRoot(root: Uint8Array): number | undefined {
    for (const { last, range } of this.#records.entries.toReversed()) {
      const own = range?.stateRoot ?? this.#records.byNumber(last)?.header.stateRoot
      const roots = [...this.#archive.rootsOf(last), ...(own === undefined ? [] : [own])]
      if (roots.some((it) => equalsBytes(it, root))) return last
    }
    return undefined
  }
}
