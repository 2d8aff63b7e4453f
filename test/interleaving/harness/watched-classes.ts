// The scheduler, its judge and the version store with a watch on their answers.
// Authority on laws that no single word of memory shows; the behaviour stays that of the base classes.

import { type LocationId, NOTHING, type TxIndex } from '../../../src/ids.ts'
import { NODE, PAYLOAD } from '../../../src/memory/layout.ts'
import { FOUND, type Found, type VersionStore } from '../../../src/mvcc/version-store.ts'
import type {
  BlockStmScheduler,
  VersionJudge,
} from '../../../src/scheduling/block-stm-scheduler.ts'
import type { Plan, PlannedOrder } from '../../../src/scheduling/planned-order.ts'
import { incarnationOf, STATE, stateOf } from '../../../src/scheduling/transaction-status.ts'
import type { Gate } from './gate.ts'
import { statusName } from './journal.ts'
import { LAW } from './laws.ts'
import type { StatusWatch } from './status-watch.ts'

export type SchedulerClass = typeof BlockStmScheduler
export type StoreClass = typeof VersionStore

export function watchedScheduler(
  Base: SchedulerClass,
  watch: StatusWatch,
  gate: Gate,
): SchedulerClass {
  return class extends Base {
    // The last atomic operation of the answer was a load, and nobody has taken a step since.
    override isSettled(transaction: number): boolean {
      const settled = super.isSettled(transaction)
      const status = watch.statusOf(transaction)
      if (settled && stateOf(status) !== STATE.EXECUTED && stateOf(status) !== STATE.COMMITTED) {
        gate.fail(LAW.settled, `transaction ${transaction} is ${statusName(status)}`)
      }
      return settled
    }

    override finish(transaction: TxIndex, wroteElsewhere: boolean): void {
      watch.beginFinish(transaction, wroteElsewhere)
      super.finish(transaction, wroteElsewhere)
      watch.requireRewound()
    }

    override claimExecution(limit: number): ReturnType<BlockStmScheduler['claimExecution']> {
      const claimed = super.claimExecution(limit)
      watch.requireRewound()
      return claimed
    }

    override validateNext(): boolean {
      const validated = super.validateNext()
      watch.requireRewound()
      return validated
    }

    override commit(): boolean {
      const moved = super.commit()
      watch.requireRewound()
      return moved
    }
  }
}

export function watchedOrder(order: PlannedOrder, plan: Plan, gate: Gate): PlannedOrder {
  const blocker = order.blocker.bind(order)
  order.blocker = (transaction, incarnation, isSettled) => {
    const other = blocker(transaction, incarnation, isSettled)
    const levels = plan.window?.levels
    const isBelow = levels === undefined ? other < transaction : levels[other] < levels[transaction]
    if (other !== NOTHING && other >= transaction && !isBelow) {
      gate.fail(LAW.downwards, `transaction ${transaction} is deferred until ${other}`)
    }
    return other
  }
  return order
}

export function watchedJudge(judge: VersionJudge, watch: StatusWatch, gate: Gate): VersionJudge {
  return {
    refutes: (transaction, isFinal) => judge.refutes(transaction, isFinal),
    markEstimates: (transaction) => {
      watch.requireHeld(transaction, STATE.ABORTING, 'estimates')
      judge.markEstimates(transaction)
    },
    committed: (transaction) => {
      if (watch.committedEnd() !== transaction) {
        gate.fail(LAW.order, `transaction ${transaction} is told of at ${watch.committedEnd()}`)
      }
      judge.committed(transaction)
    },
  }
}

export function watchedStore(Base: StoreClass, watch: StatusWatch, gate: Gate): StoreClass {
  return class extends Base {
    override find(location: LocationId, reader: TxIndex): Found {
      const found = super.find(location, reader)
      if (found === FOUND.VERSION) {
        const payload = payloadOf(this, location, this.writer)
        if (this.writer >= reader || payload !== this.payload << 1) {
          gate.fail(
            LAW.found,
            `reader ${reader} of location ${location} found payload ${this.payload} of transaction ${this.writer}, whose word is ${payload}`,
          )
        }
      }
      return found
    }

    override publish(
      ...args: Parameters<VersionStore['publish']>
    ): ReturnType<VersionStore['publish']> {
      const [location, , transaction, payload] = args
      watch.requireHeld(transaction, STATE.EXECUTING, 'publication')
      const incarnation = this.block.reach(payload + PAYLOAD.VALUE)[payload + PAYLOAD.INCARNATION]
      if (incarnation !== incarnationOf(watch.statusOf(transaction))) {
        gate.fail(LAW.holder, `transaction ${transaction} publishes for incarnation ${incarnation}`)
      }
      watch.published(transaction, location)
      return super.publish(...args)
    }

    override withdraw(...args: Parameters<VersionStore['withdraw']>): void {
      const [node] = args
      const transaction = this.block.reach(node + NODE.WORDS)[node + NODE.TRANSACTION]
      // What does not fit into a block that is being built is taken back whole.
      const isRefused = stateOf(watch.statusOf(transaction)) === STATE.ABORTING
      const state = isRefused && watch.isBuilt ? STATE.ABORTING : STATE.EXECUTING
      watch.requireHeld(transaction, state, 'withdrawal')
      super.withdraw(...args)
    }
  }
}

/** The payload word of `transaction`'s version, without taking a turn. */
function payloadOf(store: VersionStore, location: LocationId, transaction: number): number {
  let node = Atomics.load(store.state.reach(location), location)
  while (node !== 0) {
    const words = store.block.reach(node + NODE.WORDS)
    if (words[node + NODE.TRANSACTION] === transaction) {
      return Atomics.load(words, node + NODE.PAYLOAD)
    }
    node = Atomics.load(words, node + NODE.NEXT)
  }
  return 0
}
