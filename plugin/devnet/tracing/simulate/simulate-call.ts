// One call of a simulated block: what has to hold before it runs, and what it is answered with.
// The authority on the codes of calls that cannot run, and of those that fail.
// Must not know of the block's header beyond fees and gas.
import type { Block } from '@ethereumjs/block'
import { bytesToHex, toChecksumAddress } from '@ethereumjs/util'
import type { VM } from '@ethereumjs/vm'

import { RpcError } from '../../rpc-error.ts'
import { applyMessage, IntrinsicGasError, type MessageOutcome } from '../apply-message.ts'
import type { CallMessage } from '../call-request.ts'
import { gethError } from '../geth-errors.ts'
import { type ExecutionObserver, observeExecution } from '../observe-execution.ts'
import { gethRevertReason } from '../revert-reason.ts'
import { SIMULATE_CODES as codes } from './simulate-payload.ts'

export interface CallFailure {
  readonly code: number
  readonly message: string
  readonly data?: string
}

export interface CallRun {
  readonly outcome: MessageOutcome
  readonly failure: CallFailure | undefined
}

export interface CallRules {
  /** Nonces and base fee are checked. */
  readonly validation: boolean
}

/** @throws RpcError if the call cannot be part of a block: then there is no answer for the others either */
export async function runSimulatedCall(
  vm: VM,
  block: Block,
  message: CallMessage,
  observer: ExecutionObserver,
  { validation }: CallRules,
): Promise<CallRun> {
  await checkSender(vm, block, message, validation)
  let failure: CallFailure | undefined
  const watched: ExecutionObserver = {
    enter: (frame) => observer.enter?.(frame),
    log: (log, frame) => observer.log?.(log, frame),
    exit: async (frame, end) => {
      await observer.exit?.(frame, end)
      if (frame.parent !== undefined || end.error === undefined) return
      failure =
        end.error === 'revert'
          ? revertFailure(end.output)
          : { code: codes.vmError, message: gethError(frame, end) }
    },
  }
  try {
    const outcome = await observeExecution(vm, watched, () =>
      applyMessage(vm, block, message, { paysFee: message.gasPrice > 0n, needsFunds: true }),
    )
    return { outcome, failure }
  } catch (error) {
    if (error instanceof IntrinsicGasError) {
      throw refused(
        codes.intrinsicGas,
        `intrinsic gas too low: have ${error.given}, want ${error.needed}`,
        message,
      )
    }
    throw error
  }
}

function revertFailure(output: Uint8Array): CallFailure {
  const reason = gethRevertReason(output)
  return {
    code: codes.reverted,
    message: reason === undefined ? 'execution reverted' : `execution reverted: ${reason}`,
    data: bytesToHex(output),
  }
}

async function checkSender(
  vm: VM,
  block: Block,
  message: CallMessage,
  validation: boolean,
): Promise<void> {
  const { from, gas, maxFeePerGas, value, data } = message
  const account = await vm.stateManager.getAccount(from)
  const { balance = 0n, nonce: expected = 0n } = account ?? {}
  const name = `address ${toChecksumAddress(from.toString())}`
  const given = message.nonce ?? expected
  if (validation) {
    if (given < expected) {
      throw refused(
        codes.nonceTooLow,
        `nonce too low: ${name}, tx: ${given} state: ${expected}`,
        message,
      )
    }
    if (given > expected) {
      throw refused(
        codes.nonceTooHigh,
        `nonce too high: ${name}, tx: ${given} state: ${expected}`,
        message,
      )
    }
    const baseFee = block.header.baseFeePerGas ?? 0n
    if (maxFeePerGas < baseFee) {
      const what = `max fee per gas less than block base fee: ${name}, maxFeePerGas: ${maxFeePerGas}, baseFee: ${baseFee}`
      throw refused(codes.baseFeeTooLow, what, message)
    }
  }
  const wanted = gas * maxFeePerGas + value
  if (balance < wanted) {
    const what = `insufficient funds for gas * price + value: ${name} have ${balance} want ${wanted}`
    throw refused(codes.insufficientFunds, what, message)
  }
  if (message.to !== undefined || !vm.common.isActivatedEIP(3860)) return
  const most = Number(vm.common.param('maxInitCodeSize'))
  if (data.length <= most) return
  const what = `max initcode size exceeded: code size ${data.length} limit ${most}`
  throw refused(codes.initCodeSize, what, message)
}

function refused(code: number, message: string, { gas }: CallMessage): RpcError {
  return new RpcError(code, `err: ${message} (supplied gas ${gas})`)
}
