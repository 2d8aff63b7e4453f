// debug_traceTransaction, debug_traceBlockByNumber and debug_traceCall: runs again what was run, and watches.
// The authority on what is run around a traced transaction.
// Must not know of the chain: the VM it is given has the state before.
import type { Block } from '@ethereumjs/block'
import { Capability, type EIP7702CompatibleTx, type TypedTransaction } from '@ethereumjs/tx'
import { type Address, bytesToHex, eoaCode7702RecoverAuthority } from '@ethereumjs/util'
import { type RunTxResult, runTx, type VM } from '@ethereumjs/vm'

import { applyMessage } from './apply-message.ts'
import { callBlock } from './call-block.ts'
import { toRpcError } from './call-errors.ts'
import { checkCall } from './call-limits.ts'
import { callRequest, toCallMessage } from './call-request.ts'
import { parseParam } from './hex-schemas.ts'
import { observeExecution } from './observe-execution.ts'
import type { TracedTransaction } from './prestate-tracer.ts'
import { applyStateOverrides } from './state-overrides.ts'
import {
  createTracer,
  type TraceOptions,
  type TraceResult,
  traceCallOptions,
  traceOptions,
} from './trace-options.ts'

/** How a transaction of a block was run. */
export type RunMined = (vm: VM, block: Block, tx: TypedTransaction) => Promise<RunTxResult>

/** The default: as stock's `runBlock` does. */
export const runMinedByStock: RunMined = (vm, block, tx) =>
  runTx(vm, { tx, block, skipBlockGasLimitValidation: true })

export interface TraceTransactionInput {
  /** With the state before the transaction. It is changed. */
  readonly vm: VM
  readonly block: Block
  /** Index in the block. */
  readonly index: number
  /** Second parameter of the method. */
  readonly options?: unknown
  readonly runMined?: RunMined
}

/** @throws RpcError -32602 for bad options */
export async function traceTransaction({
  vm,
  block,
  index,
  options,
  runMined = runMinedByStock,
}: TraceTransactionInput): Promise<TraceResult> {
  const parsed = parseParam(traceOptions, 'options', options)
  return traceMined(vm, block, block.transactions[index]!, parsed, runMined)
}

export interface BlockTraceEntry {
  readonly txHash: string
  readonly result: TraceResult
}

export interface TraceBlockInput {
  /** With the state before the block's first transaction. It is changed. */
  readonly vm: VM
  readonly block: Block
  readonly options?: unknown
  readonly runMined?: RunMined
}

/** @throws RpcError -32602 for bad options */
export async function traceBlock({
  vm,
  block,
  options,
  runMined = runMinedByStock,
}: TraceBlockInput): Promise<BlockTraceEntry[]> {
  const parsed = parseParam(traceOptions, 'options', options)
  const entries: BlockTraceEntry[] = []
  for (const tx of block.transactions) {
    const result = await traceMined(vm, block, tx, parsed, runMined)
    entries.push({ txHash: bytesToHex(tx.hash()), result })
  }
  return entries
}

async function traceMined(
  vm: VM,
  block: Block,
  tx: TypedTransaction,
  options: TraceOptions,
  runMined: RunMined,
): Promise<TraceResult> {
  const tracer = createTracer(vm, options, tx.gasLimit)
  await tracer.start?.({
    from: tx.getSenderAddress(),
    to: tx.to,
    coinbase: block.header.coinbase,
    authorities: authoritiesOf(tx),
  })
  const { totalGasSpent } = await observeExecution(vm, tracer.observer, () =>
    runMined(vm, block, tx),
  )
  return tracer.result({ gasUsed: totalGasSpent })
}

function authoritiesOf(tx: TypedTransaction): Address[] {
  if (!tx.supports(Capability.EIP7702EOACode)) return []
  return (tx as EIP7702CompatibleTx).authorizationList.flatMap((each) => {
    try {
      return [eoaCode7702RecoverAuthority(each)]
    } catch {
      return []
    }
  })
}

export interface TraceCallInput {
  /** With the state that the call sees. It is changed. */
  readonly vm: VM
  readonly block: Block
  /** First parameter of the method. */
  readonly call: unknown
  /** Third parameter of the method. */
  readonly options?: unknown
  /** Where the call has no gas; and the most that it gets. */
  readonly defaultGas: bigint
  /** Of any transaction; more is refused. */
  readonly gasCap?: bigint | undefined
}

/** @throws RpcError for bad parameters, and for too little gas to begin with */
export async function traceCall({
  vm,
  block,
  call,
  options,
  defaultGas,
  gasCap,
}: TraceCallInput): Promise<TraceResult> {
  const parsed = parseParam(traceOptions, 'options', options)
  const overrides = parseParam(traceCallOptions, 'options', options)
  const request = parseParam(callRequest, 'call', call)
  const around = callBlock(block, vm.common, overrides.blockOverrides ?? {})
  const baseFeePerGas = around.header.baseFeePerGas ?? 0n
  const message = toCallMessage(request, {
    gas: defaultGas,
    gasCap: defaultGas,
    baseFeePerGas,
  })
  await applyStateOverrides(vm, overrides.stateOverrides ?? undefined, 'debug_traceCall')
  const tracer = createTracer(vm, parsed, message.gas)
  const isCreation = message.to === undefined
  checkCall({ isCreation, dataLength: message.data.length, gas: request.gas }, gasCap)
  const traced: TracedTransaction = {
    from: message.from,
    to: message.to,
    coinbase: around.header.coinbase,
    authorities: [],
  }
  await tracer.start?.(traced)
  try {
    const { gasUsed } = await observeExecution(vm, tracer.observer, () =>
      applyMessage(vm, around, message),
    )
    return await tracer.result({ gasUsed })
  } catch (error) {
    throw toRpcError(error)
  }
}
