// Runs incarnations of toy transactions and leaves behind what src/'s transaction runner leaves:
// versions, sets, result, outcome. Lanes of it stand in for a worker's EVMs.
// It must keep to that runner's order of operations; everything shared is done by classes of src/.

import { CodeCache } from '../../../src/execution/code-cache.ts'
import { HaltedError, type LaneWaits } from '../../../src/execution/lane-waits.ts'
import { OverlayStateManager } from '../../../src/execution/overlay-state-manager.ts'
import { WritePublisher } from '../../../src/execution/publish-writes.ts'
import { StateView } from '../../../src/execution/state-view.ts'
import { BASE_WRITER, type Incarnation, type TxIndex } from '../../../src/ids.ts'
import type { AtomicOperations } from '../../../src/memory/atomics.ts'
import {
  CONTROL,
  HALT,
  OUTCOME,
  TRANSACTION,
  transactionIndex,
} from '../../../src/memory/layout.ts'
import type { RegionAllocator } from '../../../src/memory/shared-region.ts'
import type { LocationTable } from '../../../src/mvcc/location-table.ts'
import type { ReadSetRecorder } from '../../../src/mvcc/read-set.ts'
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
    const { control, allocator, atomics, store } = this.#context
    const write = (field: number, value: number): void => {
      atomics.store(control, transactionIndex(transaction, field), value)
    }
    const previous = atomics.load(control, transactionIndex(transaction, TRANSACTION.WRITE_SET))
    const { writeSet, wroteElsewhere } = this.#publisher.publish(
      transaction,
      incarnation,
      observed === undefined ? undefined : this.#overlay,
      previous,
    )
    const readSet = allocator.allocate(this.#reads.words + 1)
    this.#reads.copyTo(store.block.reach(readSet + this.#reads.words), readSet)
    const result = observed ?? []
    const at = allocator.allocate(1 + result.length)
    const words = store.block.reach(at + result.length)
    words[at] = result.length
    words.set(result, at + 1)

    write(TRANSACTION.READ_SET, readSet)
    write(TRANSACTION.WRITE_SET, writeSet)
    write(TRANSACTION.RESULT, at)
    write(TRANSACTION.OUTCOME, observed === undefined ? OUTCOME.ERROR : OUTCOME.RESULT)
    return wroteElsewhere
  }
}
