// Overlays of transactions over one base state, on one thread: waits are answered at once.
// Authority on the wiring of execution/ and block/ without threads; the base state is stock's own.
// It must not keep state of its own: values come from the base, versions from what was published.
import type { MerkleStateManager } from '@ethereumjs/statemanager'
import { keccak_256 } from '@noble/hashes/sha3.js'
import { BlockMemory } from '../../src/block/block-memory.ts'
import { CommittedWrites } from '../../src/block/committed-writes.ts'
import { applyWrites, foldIntoBase } from '../../src/block/write-back.ts'
import { CodeCache } from '../../src/execution/code-cache.ts'
import type { LaneWaits } from '../../src/execution/lane-waits.ts'
import { OverlayStateManager } from '../../src/execution/overlay-state-manager.ts'
import { WritePublisher } from '../../src/execution/publish-writes.ts'
import { StateView } from '../../src/execution/state-view.ts'
import type { Incarnation, TxIndex } from '../../src/ids.ts'
import { nativeAtomics } from '../../src/memory/atomics.ts'
import { ReadSetRecorder, VALIDITY, validateReadSet } from '../../src/mvcc/read-set.ts'
import { copyRecorded } from '../../src/mvcc/recorded-set.ts'
import { forEachWrite, WriteSetRecorder } from '../../src/mvcc/write-set.ts'
import { servedWaits } from './served-waits.ts'

export class OverlayWorld {
  readonly memory = new BlockMemory(8, 8)
  readonly overlay: OverlayStateManager
  readonly view: StateView
  readonly #reads = new ReadSetRecorder()
  readonly #codes = new CodeCache()
  readonly #publisher: WritePublisher
  readonly #base: MerkleStateManager
  #committed: CommittedWrites
  #transaction = 0
  #writeSets: number[] = []

  constructor(base: MerkleStateManager, transactions: number) {
    const { memory } = this
    memory.beginBlock(transactions)
    this.#base = base
    this.#committed = new CommittedWrites(memory)
    let served = servedWaits(memory, base)
    this.#startAnew = () => {
      served = servedWaits(memory, base)
    }
    const waits: LaneWaits = {
      account: (record) => served.account(record),
      slot: (record) => served.slot(record),
      code: (record) => served.code(record),
      blockHash: (distance) => served.blockHash(distance),
      transaction: (lower) => served.transaction(lower),
    }
    this.view = new StateView(memory.store, this.#reads, waits, this.#codes, nativeAtomics)
    this.overlay = new OverlayStateManager(memory.table, this.view, keccak_256)
    this.#publisher = new WritePublisher(
      memory.store,
      memory.blockAllocator,
      new WriteSetRecorder(),
    )
    this.overlay.begin(0 as TxIndex)
  }
  readonly #startAnew: () => void

  /** Publishes what the overlay has changed, and starts the next transaction. */
  nextTransaction(): void {
    const { writeSet } = this.#publisher.publish(
      this.#transaction as TxIndex,
      0 as Incarnation,
      this.overlay,
      0,
    )
    this.#writeSets.push(writeSet)
    this.overlay.begin(++this.#transaction as TxIndex)
  }

  /** Words of the read set so far. */
  get readWords(): number {
    return this.#reads.words
  }

  /** Locations that the transaction before this one wrote. */
  get lastWrites(): number {
    let count = 0
    forEachWrite(this.memory.block, this.#writeSets.at(-1) ?? 0, () => count++)
    return count
  }

  /** Whether what was read in this transaction would be read again. */
  readsHold(): boolean {
    const at = copyRecorded(this.#reads, this.memory.blockAllocator)
    const validity = validateReadSet(this.memory.store, at, this.#transaction as TxIndex)
    return validity === VALIDITY.VALID
  }

  /** Writes all that was published into the base, keeps the base values, and begins a new block. */
  async endBlock(transactions: number): Promise<void> {
    for (const writeSet of this.#writeSets) this.#committed.add(writeSet)
    await applyWrites(this.memory, this.#committed, this.#committed, this.#base, false)
    foldIntoBase(this.memory, this.#committed)
    this.#codes.forgetBlock()
    this.memory.beginBlock(transactions)
    this.#committed = new CommittedWrites(this.memory)
    this.#writeSets = []
    this.#transaction = 0
    this.#startAnew()
    this.overlay.begin(0 as TxIndex)
  }
}
