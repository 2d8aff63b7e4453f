// What is kept of an execution that failed, and that it is bounded.
import { expect, it } from 'vitest'
import { applyMessage } from '../../../../plugin/devnet/tracing/apply-message.ts'
import { callBlock } from '../../../../plugin/devnet/tracing/call-block.ts'
import { callRequest, toCallMessage } from '../../../../plugin/devnet/tracing/call-request.ts'
import { FailureTrace } from '../../../../plugin/devnet/tracing/failure/failure-trace.ts'
import { observeExecution } from '../../../../plugin/devnet/tracing/observe-execution.ts'
import { assembleHex } from '../../../support/assembler.ts'
import { contractAddress, firstBlock, withAccounts } from './hardhat-reference.ts'

const program = contractAddress(1)

/** Counts down from 5,000, which takes more instructions than are looked at of one frame, and reverts. */
const counting = assembleHex([
  ...([5_000, 'JUMPDEST', 1, 'SWAP1', 'SUB', 'DUP1', 3, 'JUMPI', 0, 0, 'REVERT'] as const),
])

async function trace(failure: FailureTrace): Promise<FailureTrace> {
  const vm = await withAccounts({ [program]: { code: counting } })
  const block = callBlock(firstBlock(vm.common), vm.common)
  const request = callRequest.parse({ to: program })
  const message = toCallMessage(request, { gas: 16_000_000n, baseFeePerGas: 0n })
  await observeExecution(vm, failure, () => applyMessage(vm, block, message))
  return failure
}

it('keeps so many steps of a frame and no more, and then says that it is cut', async () => {
  const { root } = await trace(new FailureTrace())
  expect(root?.end.error).toBe('revert')
  expect(root?.isCut).toBe(true)
  expect(root?.steps).toHaveLength(20_000)
})

it('keeps frames alone if it is told to', async () => {
  const { root } = await trace(new FailureTrace({ keepsSteps: false }))
  expect(root?.end.error).toBe('revert')
  expect(root?.isCut).toBe(true)
  expect(root?.steps).toEqual([])
})
