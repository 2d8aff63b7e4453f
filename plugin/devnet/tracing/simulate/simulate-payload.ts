// What eth_simulateV1 is asked for: blocks of calls, each with changes of state and header before it.
// The authority on the fields of the request and on the order of blocks; gaps are filled with empty ones.
// Must not run anything.
import { z } from 'zod'

import { RpcError } from '../../rpc-error.ts'
import { type BlockOverrides, blockOverrides } from '../call-block.ts'
import { type CallRequest, callRequest } from '../call-request.ts'
import { type StateOverrides, stateOverrides } from '../state-overrides.ts'

/** Codes of the specification. */
export const SIMULATE_CODES = {
  nonceTooLow: -38010,
  nonceTooHigh: -38011,
  baseFeeTooLow: -38012,
  intrinsicGas: -38013,
  insufficientFunds: -38014,
  blockGasLimit: -38015,
  blockNumber: -38020,
  blockTimestamp: -38021,
  initCodeSize: -38025,
  clientLimit: -38026,
  vmError: -32015,
  reverted: 3,
} as const

const mostCallsPerBlock = 5_000
/** Beyond the base block, with those that fill gaps. */
const mostBlocks = 256n
/** Seconds between blocks that do not say when they are. */
const timestampStep = 12n

export const simulatePayload = z.object({
  blockStateCalls: z
    .array(
      z.object({
        blockOverrides: blockOverrides.nullish(),
        stateOverrides: stateOverrides.nullish(),
        calls: z.array(callRequest).max(mostCallsPerBlock).nullish(),
      }),
    )
    .min(1, 'must have at least one block'),
  traceTransfers: z.boolean().nullish(),
  validation: z.boolean().nullish(),
  returnFullTransactions: z.boolean().nullish(),
})

export type SimulatePayload = z.infer<typeof simulatePayload>

/** A block to simulate, with its place in the chain. */
export interface PlannedBlock {
  readonly number: bigint
  readonly timestamp: bigint
  readonly overrides: BlockOverrides
  readonly stateOverrides: StateOverrides | undefined
  readonly calls: readonly CallRequest[]
}

/** @throws RpcError for blocks out of order, or too many of them */
export function planBlocks(
  { blockStateCalls }: SimulatePayload,
  base: { readonly number: bigint; readonly timestamp: bigint },
): PlannedBlock[] {
  const planned: PlannedBlock[] = []
  let { number, timestamp } = base
  const add = (block: Omit<PlannedBlock, 'number' | 'timestamp'>, given?: bigint | null): void => {
    number += 1n
    const next = given ?? timestamp + timestampStep
    if (next <= timestamp) {
      throw new RpcError(
        SIMULATE_CODES.blockTimestamp,
        `block timestamps must be in order: ${next} <= ${timestamp}`,
      )
    }
    timestamp = next
    planned.push({ number, timestamp, ...block })
  }
  for (const { blockOverrides, stateOverrides, calls } of blockStateCalls) {
    const overrides = blockOverrides ?? {}
    const wanted = overrides.number ?? number + 1n
    if (wanted <= number) {
      throw new RpcError(
        SIMULATE_CODES.blockNumber,
        `block numbers must be in order: ${wanted} <= ${number}`,
      )
    }
    if (wanted - base.number > mostBlocks) {
      throw new RpcError(SIMULATE_CODES.clientLimit, 'too many blocks')
    }
    while (number + 1n < wanted) add({ overrides: {}, stateOverrides: undefined, calls: [] })
    add(
      { overrides, stateOverrides: stateOverrides ?? undefined, calls: calls ?? [] },
      overrides.time,
    )
  }
  return planned
}
