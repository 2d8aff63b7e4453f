// Snapshots of a whole devnet, and going back to one.
// The authority on what belongs to a snapshot: the chain's place, the pool, the miner's settings, and the
// time, which goes on from where it was.

import type { Chain, ChainMark } from './chain/chain.ts'
import type { Miner, MinerState } from './miner/miner.ts'
import type { PoolSnapshot, TransactionPool } from './pool/transaction-pool.ts'

interface Snapshot {
  readonly id: number
  readonly mark: ChainMark
  readonly pool: PoolSnapshot
  readonly miner: MinerState
  /** When it was taken, in ms. */
  readonly takenAt: number
}

interface SnapshotParts {
  readonly chain: Chain
  readonly pool: TransactionPool
  readonly miner: Miner
  readonly now: () => number
}

export class Snapshots {
  readonly #parts: SnapshotParts
  /** In the order of their numbers. */
  readonly #taken: Snapshot[] = []
  #lastId = 0

  constructor(parts: SnapshotParts) {
    this.#parts = parts
  }

  /** Forgets all of them. */
  clear(): void {
    for (const { mark } of this.#taken.splice(0)) this.#parts.chain.forget(mark)
  }

  /** Returns the snapshot's number, from 1 on; no number is given twice. */
  take(): number {
    const { chain, pool, miner, now } = this.#parts
    const id = ++this.#lastId
    this.#taken.push({
      id,
      mark: chain.mark(),
      pool: pool.snapshot(),
      miner: miner.state,
      takenAt: now(),
    })
    return id
  }

  /** Goes back to a snapshot, which is gone then, like all later ones. Returns whether there was one. */
  async revert(id: number): Promise<boolean> {
    const at = this.#taken.findIndex((snapshot) => snapshot.id === id)
    if (at === -1) return false
    const { chain, pool, miner, now } = this.#parts
    const [snapshot, ...later] = this.#taken.splice(at) as [Snapshot, ...Snapshot[]]
    for (const { mark } of later) chain.forget(mark)
    await chain.restore(snapshot.mark)
    pool.restore(snapshot.pool)
    const elapsed = BigInt(Math.ceil((now() - snapshot.takenAt) / 1000))
    const { clock } = snapshot.miner
    miner.state = { ...snapshot.miner, clock: { ...clock, offset: clock.offset - elapsed } }
    return true
  }
}
