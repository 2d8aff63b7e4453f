// Records a VM's block and transaction events, in order and with what listeners could see.
// It must not keep live objects that a later transaction may change: what matters is copied at once.
import type { Block } from '@ethereumjs/block'
import type { TypedTransaction } from '@ethereumjs/tx'
import { bytesToHex } from '@ethereumjs/util'
import type { AfterBlockEvent, AfterTxEvent, VM } from '@ethereumjs/vm'

export interface EventRecorder {
  /** Stops listening and returns what was seen. */
  stop(): object[]
}

export function recordEvents(vm: VM): EventRecorder {
  const seen: object[] = []
  const listeners = {
    beforeBlock: (block: Block) => {
      seen.push({ event: 'beforeBlock', hash: bytesToHex(block.hash()) })
    },
    beforeTx: (transaction: TypedTransaction) => {
      seen.push({ event: 'beforeTx', hash: bytesToHex(transaction.hash()) })
    },
    // Two parameters: stock then waits for the second to be called, and so must we.
    afterTx: (event: AfterTxEvent, resolve?: (result?: unknown) => void) => {
      const { transaction, ...result } = event
      setImmediate(() => {
        seen.push({ event: 'afterTx', hash: bytesToHex(transaction.hash()), ...result })
        resolve?.()
      })
    },
    afterBlock: (event: AfterBlockEvent) => {
      const { block, ...result } = event
      seen.push({ event: 'afterBlock', hash: bytesToHex(block.hash()), ...result })
    },
  }
  vm.events.on('beforeBlock', listeners.beforeBlock)
  vm.events.on('beforeTx', listeners.beforeTx)
  vm.events.on('afterTx', listeners.afterTx)
  vm.events.on('afterBlock', listeners.afterBlock)
  return {
    stop: () => {
      vm.events.off('beforeBlock', listeners.beforeBlock)
      vm.events.off('beforeTx', listeners.beforeTx)
      vm.events.off('afterTx', listeners.afterTx)
      vm.events.off('afterBlock', listeners.afterBlock)
      return seen
    },
  }
}
