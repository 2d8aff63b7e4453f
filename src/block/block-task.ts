// What workers are given of a block: transactions in shared memory, everything else in the task's message.
// Authority on what travels; how it is encoded is chain-data.ts's matter.

import type { Block } from '@ethereumjs/block'
import type { EVM } from '@ethereumjs/evm'
import type { RunBlockOpts, VM } from '@ethereumjs/vm'
import { encodeCommon, encodeTransaction } from '../execution/chain-data.ts'
import { CONTROL, TRANSACTION, transactionIndex } from '../memory/layout.ts'
import { writeSizedBytes } from '../memory/sized-bytes.ts'
import { flatDataOf } from '../state/flat-state.ts'
import type { BlockTask } from '../workers/protocol.ts'
import type { BlockMemory } from './block-memory.ts'

/**
 * Executions under way at once per worker. Each can wait for a base value while the others go on;
 * more than the main thread can answer in the time of one execution gain nothing.
 */
const LANES = 8

/** Writes the block's transactions. @throws ParallelError `STORE_FULL` */
export function writeTransactions(memory: BlockMemory, block: Block): void {
  const { control, blockAllocator } = memory
  control[CONTROL.TRANSACTION_COUNT] = block.transactions.length
  block.transactions.forEach((tx, index) => {
    const at = writeSizedBytes(blockAllocator, encodeTransaction(tx))
    control[transactionIndex(index, TRANSACTION.BYTES)] = at
  })
}

/**
 * What every worker gets. A state that can be read in shared memory is among it, unless `covered` is
 * `undefined`, as it must be where the state is written while workers run; these are the state manager's methods that are covered at the time.
 */
export function blockTask(
  vm: VM,
  options: RunBlockOpts,
  memory: BlockMemory,
  workers: number,
  workerSetup: string | undefined,
  covered: readonly string[] | undefined,
): Omit<BlockTask, 'worker'> {
  const { block, skipBalance, skipNonce, skipHardForkValidation } = options
  const evm = vm.evm as EVM
  return {
    kind: 'block',
    workers,
    workerSetup,
    memoryGeneration: memory.memoryGeneration,
    stateGeneration: memory.stateGeneration,
    control: memory.control.buffer as SharedArrayBuffer,
    buckets: memory.buckets.buffer as SharedArrayBuffer,
    seed: memory.seed,
    state: memory.state.buffer,
    block: memory.block.buffer,
    flat: covered && flatDataOf(vm.stateManager, covered)?.table.buffers,
    headerRlp: block.header.serialize(),
    vmCommon: encodeCommon(vm.common),
    blockCommon: encodeCommon(block.common),
    transactionCommon: encodeCommon(block.transactions[0].common),
    rules: { skipBalance, skipNonce, skipHardForkValidation },
    evm: {
      allowUnlimitedContractSize: evm.allowUnlimitedContractSize,
      allowUnlimitedInitCodeSize: evm.allowUnlimitedInitCodeSize,
      bls: (evm as unknown as { _bls?: unknown })._bls !== undefined,
    },
    lanes: LANES,
  }
}
