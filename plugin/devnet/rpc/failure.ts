// What is said of a transaction or call that failed.
// The authority on when it is run once more for a better explanation: not where its data says it all, for
// looking at instructions takes some ten times as long as running them.
// Must not word anything: the code, the sentence and the data are tracing/'s.

import type { RunTxResult, VM } from '@ethereumjs/vm'
import type { DevnetCore } from '../core.ts'
import type { Hex } from '../hex.ts'
import { RPC_CODES, RpcError } from '../rpc-error.ts'
import type { ContractResolver } from '../tracing/failure/contract-resolver.ts'
import { executionFailure, isOutOfGas } from '../tracing/failure/execution-failure.ts'
import { FailureTrace } from '../tracing/failure/failure-trace.ts'
import { observeExecution } from '../tracing/observe-execution.ts'
import { decodeRevert } from '../tracing/revert-reason.ts'

/** How to have the same failure again, on a VM that nobody else uses. */
export interface Rerun {
  readonly vm: VM
  run(): Promise<unknown>
}

export interface Failed {
  readonly result: RunTxResult
  /** Of a transaction that was mined. */
  readonly transactionHash?: Hex
  /** Asked for only where it is of use. */
  readonly rerun: () => Rerun | Promise<Rerun>
}

/** The error for a result that is a failure. */
export async function failureOf(core: DevnetCore, failed: Failed): Promise<RpcError> {
  const { execResult } = failed.result
  const { transactionHash } = failed
  const contracts = isPlain(failed.result) ? undefined : await core.contracts()
  const trace = await traceOf(failed, contracts)
  return (
    executionFailure({ execResult, transactionHash, trace, contracts }) ??
    new RpcError(RPC_CODES.internal, 'Internal error: an execution that succeeded has no failure')
  )
}

/** Hardhat's gas handling knows this one by its data, and falls back on a gas limit that is no estimate. */
export function internalCallOutOfGas(): RpcError {
  return new RpcError(
    RPC_CODES.invalidInput,
    "Gas estimation failed: an internal call runs out of gas regardless of the transaction's gas limit, so no reliable estimate exists. Set an explicit gas limit for the transaction, or set the network's gasEstimationMode to 'topLevelSuccess' to only require the top-level call to succeed.",
    { reason: 'InternalCallOutOfGas', data: '0x', transactionHash: null },
  )
}

async function traceOf({ result, rerun }: Failed, contracts: ContractResolver | undefined) {
  if (isPlain(result)) return undefined
  const isEmpty = outputOf(result).length === 0
  // A custom error is told by ABIs alone.
  if (!isEmpty && contracts === undefined) return undefined
  const trace = new FailureTrace({ keepsSteps: isEmpty && contracts !== undefined })
  try {
    const { vm, run } = await rerun()
    await observeExecution(vm, trace, run)
    return trace.root
  } catch {
    // The block may have been taken back by now; that it failed, and with what data, is known all the same.
    return undefined
  }
}

/** The error and its data say it all: nothing that could be known of contracts changes the sentence. */
function isPlain(result: RunTxResult): boolean {
  const { exceptionError } = result.execResult
  if (exceptionError === undefined || isOutOfGas(exceptionError.error)) return true
  const { kind } = decodeRevert(outputOf(result))
  return kind === 'reason' || kind === 'panic'
}

/** Only a revert returns data. */
function outputOf({ execResult }: RunTxResult): Uint8Array {
  const { exceptionError, returnValue } = execResult
  return exceptionError?.error === 'revert' ? returnValue : new Uint8Array(0)
}
