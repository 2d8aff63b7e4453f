// The state before a transaction that was mined, and how it was run: for whoever looks at it once more.
// The authority on how a mined block is run again. Must not be given the chain's own state.

import type { VM } from '@ethereumjs/vm'
import type { SealedBlock } from '../chain/sealed-block.ts'
import type { DevnetCore } from '../core.ts'
import { withContractSender } from '../miner/contract-senders.ts'
import { invalidInput } from '../rpc-error.ts'
import { writeBeforeCalls } from '../tracing/simulate/system-writes.ts'
import { type RunMined, runMinedByStock } from '../tracing/trace-transaction.ts'

/**
 * A VM with the state that the transaction at `index` found.
 * @throws RpcError for the genesis block, and where the state before the block is not kept any more
 */
export async function vmBefore(
  { chain }: DevnetCore,
  sealed: SealedBlock,
  index: number,
): Promise<VM> {
  const { number } = sealed.header
  if (number === 0n) throw invalidInput('The genesis block has no transactions to be traced')
  const vm = await chain.vmOn(await chain.stateAt(number - 1n))
  const { block } = sealed
  await writeBeforeCalls(vm, block)
  const run = runMinedOf(sealed)
  for (const tx of block.transactions.slice(0, index)) await run(vm, block, tx)
  return vm
}

/** As the miner runs the transactions of this block: contracts may have sent some. */
export function runMinedOf(sealed: SealedBlock): RunMined {
  return async (vm, block, tx) => {
    const run = () => runMinedByStock(vm, block, tx)
    const sent = sealed.transactions[block.transactions.indexOf(tx)]
    if (sent === undefined || !sent.isImpersonated) return run()
    const account = await vm.stateManager.getAccount(tx.getSenderAddress())
    return account?.isContract() === true ? withContractSender(vm, sent.sender, run) : run()
  }
}
