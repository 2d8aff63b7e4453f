// The error that answers a transaction, a call or an estimate whose execution failed.
// The authority on its code and data: 3 with what was returned, -32000 where the gas ran out.
// Must not decide whether a failure is answered with an error: options do.
import type { EVMError, ExecResult } from '@ethereumjs/evm'
import { bytesToHex } from '@ethereumjs/util'

import { RPC_CODES, RpcError } from '../../rpc-error.ts'
import type { ContractResolver } from './contract-resolver.ts'
import { explainFailure } from './explain-failure.ts'
import { failureMessage, OUT_OF_GAS } from './failure-message.ts'
import type { FailureFrame } from './failure-trace.ts'
import { outOfGasKind } from './out-of-gas.ts'

export interface ExecutionFailure {
  readonly execResult: Pick<ExecResult, 'exceptionError' | 'returnValue' | 'runState'>
  /** Of a transaction that was mined. */
  readonly transactionHash?: string | undefined
  /** What it did, for a better explanation; see `FailureTrace`. */
  readonly trace?: FailureFrame | undefined
  /** Tells which contracts are known; needs `trace`. */
  readonly contracts?: ContractResolver | undefined
}

/** @returns an error as Hardhat throws it; undefined if the execution did not fail */
export function executionFailure(failure: ExecutionFailure): RpcError | undefined {
  const { execResult, transactionHash, trace, contracts } = failure
  const error = execResult.exceptionError?.error
  if (error === undefined) return undefined
  const output = error === 'revert' ? execResult.returnValue : new Uint8Array(0)
  const plain = failureMessage(error, output)
  if (isOutOfGas(error)) {
    const data = {
      reason: { OutOfGas: outOfGasKind(execResult.runState) },
      data: '0x',
      transactionHash: transactionHash ?? null,
    }
    return new RpcError(RPC_CODES.invalidInput, OUT_OF_GAS, data)
  }
  const known = trace === undefined ? undefined : explainFailure(trace, contracts)
  return new RpcError(RPC_CODES.revert, known ?? plain, bytesToHex(output), transactionHash)
}

/** Where the gas of the transaction itself ran out: of such a failure nothing more is said. */
export function isOutOfGas(error: EVMError['error']): boolean {
  return failureMessage(error, new Uint8Array(0)) === OUT_OF_GAS
}
