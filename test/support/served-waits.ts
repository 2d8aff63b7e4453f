// The waits of executions on one thread: whatever is asked of the main thread is answered at once.
// Authority on nothing but asking and serving in one breath; the values are the base state's own.
// It must not answer a wait for another transaction: what that means is the test's own matter.
import type { StateManagerInterface } from '@ethereumjs/common'
import type { EVMMockBlockchainInterface } from '@ethereumjs/evm'
import { BaseServer } from '../../src/block/base-server.ts'
import type { BlockMemory } from '../../src/block/block-memory.ts'
import type { LaneWaits } from '../../src/execution/lane-waits.ts'
import { REQUEST, REQUEST_KIND_BITS, ringIndex } from '../../src/memory/layout.ts'

const noBlocks: EVMMockBlockchainInterface = {
  getBlock: () => Promise.reject(new Error('there are no blocks here')),
  putBlock: () => Promise.resolve(),
  shallowCopy: () => noBlocks,
}

/** The waits for one block over `memory`, whose base values are those of `base`. */
export function servedWaits(memory: BlockMemory, base: StateManagerInterface): LaneWaits {
  const server = new BaseServer(memory, base, noBlocks, 1n, () => false)
  let requests = 0
  const ask = async (subject: number, kind: number): Promise<void> => {
    memory.control[ringIndex(requests++)] = ((subject << REQUEST_KIND_BITS) | kind) + 1
    await server.serve(0)
  }
  return {
    account: (record) => ask(record, REQUEST.ACCOUNT),
    slot: (record) => ask(record, REQUEST.SLOT),
    code: (record) => ask(record, REQUEST.CODE),
    blockHash: (distance) => ask(distance, REQUEST.BLOCK_HASH),
    transaction: () => Promise.reject(new Error('nobody is estimated here')),
  }
}
