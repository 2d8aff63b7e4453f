// Why an execution failed, from the frames it went through: down to the call whose failure was passed on.
// The authority on which frame's failure is the transaction's, where contracts are unknown and where known.
// Must not be sure without reason: it says undefined where the plain message is all there is.
import { equalsBytes } from '@ethereumjs/util'

import type { ContractResolver, KnownContract } from './contract-resolver.ts'
import { explainFrame, failsRightAfter } from './explain-frame.ts'
import { CODE_TOO_LARGE, failureMessage } from './failure-message.ts'
import { type FailureFrame, isFrame } from './failure-trace.ts'

export function explainFailure(
  trace: FailureFrame,
  contracts: ContractResolver | undefined,
): string | undefined {
  const { error, output } = trace.end
  if (error === undefined) return undefined
  if (trace.code === undefined && trace.frame.type !== 'CREATE' && trace.frame.type !== 'CREATE2') {
    return precompileFailure(trace)
  }
  const isCreation = trace.frame.type.startsWith('CREATE')
  const known = trace.code === undefined ? undefined : contracts?.find(trace.code, isCreation)
  if (known !== undefined) {
    return explainFrame(trace, known) ?? explainCalled(trace, known, contracts) ?? plainOf(trace)
  }
  const last = lastCall(trace)
  // Most contracts pass on what the failed call returned, and most that fail after one do so because of it.
  if (last?.end.error !== undefined && equalsBytes(output, outputOf(last))) {
    return explainFailure(last, contracts) ?? plainOf(last)
  }
  if (error === 'code size to deposit exceeds maximum code size') return CODE_TOO_LARGE
  return undefined
}

/** The call that a known contract failed after, if it was the reason. */
function explainCalled(
  trace: FailureFrame,
  known: KnownContract,
  contracts: ContractResolver | undefined,
): string | undefined {
  const last = lastCall(trace)
  if (last === undefined) return undefined
  const { output, error } = trace.end
  const isRightAfter = failsRightAfter(trace, trace.steps.indexOf(last), known)
  if (last.end.error === undefined) {
    if (!isRightAfter) return undefined
    return output.length === 0 && error === 'revert'
      ? 'Transaction reverted: function returned an unexpected amount of data'
      : undefined
  }
  if (!equalsBytes(output, outputOf(last))) return undefined
  if (error === 'revert' && last.end.error === 'out of gas' && output.length === 0) {
    if (!isRightAfter) return undefined
    return 'Transaction reverted: contract call run out of gas and made the transaction revert'
  }
  if (output.length === 0 && !isRightAfter) return undefined
  return explainFailure(last, contracts) ?? plainOf(last)
}

function plainOf({ end }: FailureFrame): string {
  return failureMessage(
    end.error === 'out of gas' ? 'revert' : (end.error ?? 'revert'),
    outputOf({ end }),
  )
}

/** Only a revert returns data. */
function outputOf({ end }: Pick<FailureFrame, 'end'>): Uint8Array {
  return end.error === 'revert' ? end.output : new Uint8Array(0)
}

function lastCall({ steps }: FailureFrame): FailureFrame | undefined {
  return steps.findLast(isFrame)
}

function precompileFailure({ frame }: FailureFrame): string | undefined {
  if (frame.to === undefined) return undefined
  const number = BigInt(frame.to.toString())
  if (number === 0n || number > 0x100n) return undefined
  return `Transaction reverted: call to precompile ${number} failed`
}
