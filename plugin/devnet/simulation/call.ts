// Executes a transaction that nobody has signed on a copy of a state, and leaves no trace: calls and
// estimates. The authority on what differs from a real one: fees may be nothing, balances and nonces are
// not checked, and any account may send. Must not be given the chain's own state.

import { type Block, createBlock } from '@ethereumjs/block'
import { createTx, type TypedTransaction, type TypedTxData } from '@ethereumjs/tx'
import { createAddressFromString } from '@ethereumjs/util'
import { type RunTxResult, runTx, type VM } from '@ethereumjs/vm'
import { ParallelError } from '../../../src/index.ts'
import type { Chain } from '../chain/chain.ts'
import type { ChainRules } from '../chain-rules.ts'
import type { Hex } from '../hex.ts'
import { withContractSender } from '../miner/contract-senders.ts'
import type { BlockState } from '../rpc/state-of-block.ts'
import { invalidInput } from '../rpc-error.ts'

export interface Simulation {
  readonly vm: VM
  /** What the code sees as the present block; its base fee is zero, as on Hardhat's own network. */
  readonly block: Block
  readonly rules: ChainRules
}

export async function createSimulation(
  chain: Chain,
  { sealed, state }: BlockState,
): Promise<Simulation> {
  const { header } = sealed
  const data = { ...header, baseFeePerGas: 0n }
  const block = createBlock({ header: data as never }, { common: chain.rules.common })
  return { vm: await chain.vmOn(state), block, rules: chain.rules }
}

/** A call: a transaction without signature. */
export interface Call {
  readonly data: TypedTxData
  readonly sender: Hex
}

/**
 * Executes a call and takes all changes back.
 * @throws RpcError if it has not the gas that any such transaction needs
 */
export async function simulate(simulation: Simulation, call: Call): Promise<RunTxResult> {
  const { stateManager } = simulation.vm
  await stateManager.checkpoint()
  try {
    return await execute(simulation, call)
  } finally {
    await stateManager.revert()
  }
}

/** The same, and keeps what it changed: for calls one after the other. */
export async function execute(
  { vm, block, rules }: Simulation,
  { data, sender }: Call,
): Promise<RunTxResult> {
  const tx = refusing(() => unsigned(rules, data, sender))
  checkGas(tx)
  const run = () =>
    runTx(vm, {
      tx,
      block,
      skipBalance: true,
      skipNonce: true,
      skipBlockGasLimitValidation: true,
      skipHardForkValidation: true,
    })
  const account = await vm.stateManager.getAccount(createAddressFromString(sender))
  try {
    return await (account?.isContract() === true ? withContractSender(vm, sender, run) : run())
  } catch (error) {
    // The state's own failures are no matter of the call.
    if (error instanceof ParallelError) throw error
    throw invalidInput(error instanceof Error ? error.message : String(error))
  }
}

/** The transaction that a call stands for: nobody has signed it, and yet it has a sender. */
export function unsigned(rules: ChainRules, data: TypedTxData, sender: Hex): TypedTransaction {
  const tx = createTx(data, {
    common: rules.common,
    freeze: false,
    allowUnlimitedInitCodeSize: rules.allowUnlimitedContractSize,
  })
  const address = createAddressFromString(sender)
  tx.getSenderAddress = () => address
  return tx
}

/** What ethereumjs refuses to make is the client's fault. */
export function refusing<T>(make: () => T): T {
  try {
    return make()
  } catch (error) {
    throw invalidInput(error instanceof Error ? error.message : String(error))
  }
}

function checkGas(tx: TypedTransaction): void {
  const least = leastGas(tx)
  if (tx.gasLimit >= least) return
  throw invalidInput(`Transaction requires at least ${least} gas but got ${tx.gasLimit}`)
}

/** What a call costs before it does anything. */
export function intrinsicGas({ rules }: Simulation, { data, sender }: Call): bigint {
  return unsigned(rules, data, sender).getIntrinsicGas()
}

/** Gas without which a transaction is not valid: what its data costs, at least EIP-7623's floor. */
export function leastGas(tx: TypedTransaction): bigint {
  const intrinsic = tx.getIntrinsicGas()
  if (!tx.common.isActivatedEIP(7623)) return intrinsic
  let tokens = 0n
  for (const byte of tx.data) tokens += byte === 0 ? 1n : 4n
  const floor = tx.common.param('txGas') + tokens * tx.common.param('totalCostFloorPerToken')
  return floor > intrinsic ? floor : intrinsic
}
