// Plans a block while the workers recover its senders: who waits for whom, and which accounts are loaded
// ahead. Authority on when the plan is made: once, when every sender is known. A plan is advice.

import type { Block } from '@ethereumjs/block'
import type { RecordId } from '../ids.ts'
import { nativeAtomics } from '../memory/atomics.ts'
import { ringAll } from '../memory/doorbell.ts'
import { CONTROL, NO_SENDER, TRANSACTION, transactionIndex } from '../memory/layout.ts'
import { publishPlan } from '../scheduling/planned-order.ts'
import { waitForSenders } from '../scheduling/sender-order.ts'
import type { BaseServer } from './base-server.ts'
import type { BlockMemory } from './block-memory.ts'

/** Senders whose accounts are loaded at once: a wake-up of the main thread has to pay. */
const RECOVERY_BATCH = 32

export class BlockPlanner {
  readonly #memory: BlockMemory
  readonly #server: BaseServer
  readonly #block: Block
  readonly #workers: number
  /** Account records of the senders known so far, in block order. */
  readonly #senders: number[] = []
  #isPlanned = false

  constructor(memory: BlockMemory, server: BaseServer, block: Block, workers: number) {
    this.#memory = memory
    this.#server = server
    this.#block = block
    this.#workers = workers
  }

  /** Loads the accounts that the transactions name, ahead of the workers' asking. */
  async begin(): Promise<void> {
    const { control, table } = this.#memory
    nativeAtomics.store(control, CONTROL.RECOVERY_NOTICE, RECOVERY_BATCH)
    const named = [table.account(this.#block.header.coinbase.bytes)]
    for (const { to } of this.#block.transactions) {
      if (to !== undefined) named.push(table.account(to.bytes))
    }
    await this.#load(named)
  }

  /** Takes up the senders that were recovered since, and plans when they are all there. */
  async advance(): Promise<void> {
    if (this.#isPlanned) return
    const { control } = this.#memory
    const count = this.#block.transactions.length
    const first = this.#senders.length
    while (this.#senders.length < count) {
      const index = transactionIndex(this.#senders.length, TRANSACTION.SENDER)
      const sender = nativeAtomics.load(control, index)
      if (sender === 0) break
      this.#senders.push(sender)
    }
    // Set before the next look: what is recovered in between is found by that.
    nativeAtomics.store(control, CONTROL.RECOVERY_NOTICE, this.#senders.length + RECOVERY_BATCH)
    const isWhole = this.#senders.length === count
    // A first batch of requests goes out before the workers begin to execute.
    const loading = this.#load(
      this.#senders.slice(first).filter((record) => record !== NO_SENDER) as RecordId[],
    )
    if (isWhole) this.#plan()
    await loading
  }

  #plan(): void {
    const { control, block, blockAllocator } = this.#memory
    this.#isPlanned = true
    const order = waitForSenders(this.#senders)
    publishPlan(control, block, blockAllocator, nativeAtomics, order)
    ringAll(nativeAtomics, control, this.#workers)
  }

  async #load(accounts: readonly RecordId[]): Promise<void> {
    if (accounts.length === 0) return
    await this.#server.preload(accounts)
    ringAll(nativeAtomics, this.#memory.control, this.#workers)
  }
}
