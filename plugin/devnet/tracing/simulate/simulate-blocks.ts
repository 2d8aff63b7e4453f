// eth_simulateV1: blocks of calls on top of a block, none of which is kept.
// The authority on how a simulated block follows from the one before it.
// Must not know how blocks are shown: it hands them over with the answers to their calls.
import type { Block } from '@ethereumjs/block'
import type { TypedTransaction } from '@ethereumjs/tx'
import { bigIntToHex, bytesToHex } from '@ethereumjs/util'
import type { TxReceipt, VM } from '@ethereumjs/vm'

import { RpcError } from '../../rpc-error.ts'
import { type CallMessage, toCallMessage } from '../call-request.ts'
import { parseParam } from '../hex-schemas.ts'
import { applyStateOverrides } from '../state-overrides.ts'
import { type CallFailure, runSimulatedCall } from './simulate-call.ts'
import { type NumberedLog, SimulateLogs } from './simulate-logs.ts'
import {
  type PlannedBlock,
  planBlocks,
  SIMULATE_CODES,
  simulatePayload,
} from './simulate-payload.ts'
import { receiptOf, type SimulatedTransaction, sealBlock, startBlock } from './simulated-block.ts'
import { simulatedTransaction } from './simulated-transaction.ts'
import { payWithdrawals, writeBeforeCalls } from './system-writes.ts'

export interface SimulateInput {
  /** With the state after `base`. It is changed. */
  readonly vm: VM
  /** The block that the simulated ones follow. */
  readonly base: Block
  /** First parameter of the method. */
  readonly payload: unknown
  /** Gas that all calls together may use. Default 500,000,000. */
  readonly gasBudget?: bigint
}

export interface SimulatedBlock {
  readonly block: Block
  readonly hash: `0x${string}`
  readonly transactions: readonly SimulatedTransaction[]
  /** As the method answers them. */
  readonly calls: readonly SimulatedCall[]
}

export interface SimulatedCall {
  readonly returnData: string
  readonly logs: readonly Record<string, unknown>[]
  readonly gasUsed: string
  readonly maxUsedGas: string
  readonly status: '0x0' | '0x1'
  readonly error?: CallFailure
}

export interface Simulation {
  readonly blocks: readonly SimulatedBlock[]
  /** Whole transactions are wanted in the blocks, not hashes. */
  readonly returnsFullTransactions: boolean
}

const defaultBudget = 500_000_000n
/** @throws RpcError with the codes of the specification */
export async function simulateBlocks({
  vm,
  base,
  payload,
  gasBudget = defaultBudget,
}: SimulateInput): Promise<Simulation> {
  const parsed = parseParam(simulatePayload, 'payload', payload)
  const planned = planBlocks(parsed, base.header)
  const known = new Map<bigint, Block>()
  const { blockchain } = vm.evm as unknown as {
    blockchain: { getBlock(number: number): Promise<Block> }
  }
  const original = blockchain.getBlock.bind(blockchain)
  // BLOCKHASH finds the blocks that there are only here.
  Object.assign(vm.evm, {
    blockchain: {
      getBlock: async (number: number) => known.get(BigInt(number)) ?? original(number),
      shallowCopy: () => blockchain,
    },
  })
  const run: Run = {
    vm,
    validation: parsed.validation === true,
    traceTransfers: parsed.traceTransfers === true,
    gasLeft: gasBudget,
  }
  const blocks: SimulatedBlock[] = []
  let parent = base
  for (const plan of planned) {
    const simulated = await simulateBlock(run, parent, plan)
    blocks.push(simulated)
    parent = simulated.block
    known.set(parent.header.number, parent)
  }
  return { blocks, returnsFullTransactions: parsed.returnFullTransactions === true }
}

interface Run {
  readonly vm: VM
  readonly validation: boolean
  readonly traceTransfers: boolean
  gasLeft: bigint
}

async function simulateBlock(run: Run, parent: Block, plan: PlannedBlock): Promise<SimulatedBlock> {
  const { vm, validation } = run
  const started = startBlock(vm, parent, plan, validation)
  await applyStateOverrides(vm, plan.stateOverrides, 'eth_simulateV1')
  await writeBeforeCalls(vm, started)
  const logs = new SimulateLogs(run.traceTransfers)
  const transactions: SimulatedTransaction[] = []
  const receipts: { receipt: TxReceipt; type: TypedTransaction['type'] }[] = []
  const answers: Omit<SimulatedCall, 'logs'>[] = []
  const logsOfCalls: (readonly NumberedLog[])[] = []
  let gasUsed = 0n
  for (const request of plan.calls) {
    const message = messageOf(
      run,
      started,
      toCallMessage(request, {
        gas: started.header.gasLimit - gasUsed,
        baseFeePerGas: started.header.baseFeePerGas ?? 0n,
      }),
      gasUsed,
    )
    const nonce = message.nonce ?? (await vm.stateManager.getAccount(message.from))?.nonce ?? 0n
    const { outcome, failure } = await runSimulatedCall(vm, started, message, logs, { validation })
    gasUsed += outcome.gasUsed
    run.gasLeft -= outcome.gasUsed
    const tx = simulatedTransaction(vm, message, nonce)
    const sender = message.from.toString()
    transactions.push({ tx, hash: bytesToHex(tx.hash()), sender })
    const kept = logs.take()
    logsOfCalls.push(kept)
    receipts.push({ receipt: receiptOf(kept, gasUsed, failure !== undefined), type: tx.type })
    answers.push({
      returnData: bytesToHex(outcome.execResult.returnValue),
      gasUsed: bigIntToHex(outcome.gasUsed),
      maxUsedGas: bigIntToHex(outcome.gasBeforeRefund),
      status: failure === undefined ? '0x1' : '0x0',
      ...(failure === undefined ? {} : { error: failure }),
    })
  }
  await payWithdrawals(vm, plan.overrides)
  const block = await sealBlock(vm, started, plan, { transactions, receipts, gasUsed })
  const hash = bytesToHex(block.hash())
  const calls = answers.map((answer, index) => {
    const place = { block, blockHash: hash, transaction: transactions[index]!, index }
    return { ...answer, logs: logsOfCalls[index]!.map((log) => logJson(log, place)) }
  })
  return { block, hash, transactions, calls }
}

/** The gas that a call gets is what its block and the whole simulation have left. */
function messageOf(
  run: Run,
  { header }: Block,
  message: CallMessage,
  gasUsed: bigint,
): CallMessage {
  const remaining = header.gasLimit - gasUsed
  if (message.gas > remaining) {
    throw new RpcError(
      SIMULATE_CODES.blockGasLimit,
      `block gas limit reached: remaining: ${remaining}, required: ${message.gas}`,
    )
  }
  return message.gas > run.gasLeft ? { ...message, gas: run.gasLeft } : message
}

interface LogPlace {
  readonly block: Block
  readonly blockHash: string
  readonly transaction: SimulatedTransaction
  readonly index: number
}

function logJson(
  { address, topics, data, index: logIndex }: NumberedLog,
  { block, blockHash, transaction, index }: LogPlace,
): Record<string, unknown> {
  return {
    address: address.toString(),
    topics: topics.map((topic) => bytesToHex(topic)),
    data: bytesToHex(data),
    blockNumber: bigIntToHex(block.header.number),
    transactionHash: transaction.hash,
    transactionIndex: `0x${index.toString(16)}`,
    blockHash,
    blockTimestamp: bigIntToHex(block.header.timestamp),
    logIndex: `0x${logIndex.toString(16)}`,
    removed: false,
  }
}
