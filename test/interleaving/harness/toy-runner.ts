// Runs incarnations of toy transactions and leaves behind what src/'s transaction runner leaves:
// versions, sets, result, outcome. Lanes of it stand in for a worker's EVMs.
// Everything shared is done by src/. What must stay a mirror is the order of the calls in `run` and
// `#leave`: src/'s runner is tied to an EVM there, and a toy has none.

import { CodeCache } from '../../../src/execution/code-cache.ts'
import { HaltedError, type LaneWaits } from '../../../src/execution/lane-waits.ts'
import { OverlayStateManager } from '../../../src/execution/overlay-state-manager.ts'
import { WritePublisher } from '../../../src/execution/publish-writes.ts'
import { StateView } from '../../../src/execution/state-view.ts'
import { leaveBehind, previousWriteSet } from '../../../src/execution/transaction-words.ts'
import { BASE_WRITER, type Incarnation, type TxIndex } from '../../../src/ids.ts'
import type { AtomicOperations } from '../../../src/memory/atomics.ts'
import { CONTROL, HALT, OUTCOME } from '../../../src/memory/layout.ts'
import type { RegionAllocator } from '../../../src/memory/shared-region.ts'
import type { LocationTable } from '../../../src/mvcc/location-table.ts'
import type { ReadSetRecorder } from '../../../src/mvcc/read-set.ts'
import { copyRecorded } from '../../../src/mvcc/recorded-set.ts'
import type { VersionStore } from '../../../src/mvcc/version-store.ts'
import { WriteSetRecorder } from '../../../src/mvcc/write-set.ts'
import { InvalidToyError, runToy, type ToyTransaction } from './toy-transaction.ts'
import { OverlayWorld } from './toy-world.ts'

/** What the lanes of one thread share. */
export interface ToyContext {
  control: Int32Array
  store: VersionStore
  table: LocationTable
  allocator: RegionAllocator
  atomics: AtomicOperations
  addresses: readonly Uint8Array[]
  newReads: () => ReadSetRecorder
  /** Gas that a transaction takes up in a block that is being built. */
  blockGas: (transaction: TxIndex, observed: readonly number[]) => number
}

export class ToyRunner {
  readonly #context: ToyContext
  readonly #waits: LaneWaits
  readonly #reads: ReadSetRecorder
  readonly #view: StateView
  readonly #overlay: OverlayStateManager
  readonly #publisher: WritePublisher

  constructor(context: ToyContext, waits: LaneWaits) {
    const { store, table, allocator, atomics } = context
    this.#context = context
    this.#waits = waits
    this.#reads = context.newReads()
    this.#view = new StateView(store, this.#reads, waits, new CodeCache(), atomics)
    this.#overlay = new OverlayStateManager(table, this.#view, (message) => message)
    this.#publisher = new WritePublisher(store, allocator, new WriteSetRecorder())
  }

  async run(transaction: TxIndex, incarnation: Incarnation, toy: ToyTransaction): Promise<boolean> {
    const { control, atomics, addresses } = this.#context
    for (;;) {
      this.#overlay.begin(transaction)
      let observed: number[] | undefined
      try {
        observed = await runToy(toy, new OverlayWorld(this.#overlay, addresses))
      } catch (thrown) {
        const expected = thrown instanceof InvalidToyError || this.#view.blockedBy !== BASE_WRITER
        if (!expected) throw thrown
      }
      if (atomics.load(control, CONTROL.HALT) !== HALT.RUNNING) throw new HaltedError()
      if (this.#view.blockedBy === BASE_WRITER) {
        return this.#leave(transaction, incarnation, observed)
      }
      await this.#waits.transaction(this.#view.blockedBy)
    }
  }

  #leave(transaction: TxIndex, incarnation: Incarnation, observed: number[] | undefined): boolean {
    const { allocator } = this.#context
    const { writeSet, wroteElsewhere } = this.#publisher.publish(
      transaction,
      incarnation,
      observed === undefined ? undefined : this.#overlay,
      previousWriteSet(this.#context, transaction),
    )
    const readSet = copyRecorded(this.#reads, allocator)
    const observations = observed ?? []
    const result = allocator.allocate(1 + observations.length)
    allocator.region.words[result] = observations.length
    allocator.region.words.set(observations, result + 1)
    const outcome = observed === undefined ? OUTCOME.ERROR : OUTCOME.RESULT
    const blockGas = BigInt(this.#context.blockGas(transaction, observations))
    leaveBehind(this.#context, transaction, { readSet, writeSet, result, outcome, blockGas })
    return wroteElsewhere
  }
}
