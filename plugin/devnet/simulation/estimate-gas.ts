// The least gas limit with which a call succeeds, within a tolerance: the same number that Hardhat gives.
// The authority on the search and on what counts as success; what a failure means is told by whoever asked.
// Must not look at instructions: an estimate runs the call many times.

import type { EVM, EVMResult } from '@ethereumjs/evm'
import type { RunTxResult } from '@ethereumjs/vm'
import { isOutOfGas } from '../tracing/failure/execution-failure.ts'
import { type Call, intrinsicGas, type Simulation, simulate } from './call.ts'

/**
 * `topLevelSuccess`: it is enough that the call succeeds as a whole. `noInternalOutOfGas`: and none of the
 * calls that it makes runs out of gas, even where that is caught.
 */
export type GasEstimationMode = 'topLevelSuccess' | 'noInternalOutOfGas'

export type GasEstimate =
  | { readonly gas: bigint }
  | { readonly failed: RunTxResult }
  /** With whatever gas: a call that it makes runs out. */
  | { readonly failed: 'internal call out of gas' }

interface Try {
  readonly result: RunTxResult
  readonly isAccepted: boolean
}

/** More than halving the gas of any block could take. */
const MOST_ROUNDS = 20

/** Tries with all of `cap` first: what fails then fails with any gas. */
export async function estimateGas(
  simulation: Simulation,
  call: Call,
  cap: bigint,
  mode: GasEstimationMode,
): Promise<GasEstimate> {
  const attempt = (gasLimit: bigint): Promise<Try> =>
    tryCall(simulation, { ...call, data: { ...call.data, gasLimit } }, mode)
  const { result, isAccepted } = await attempt(cap)
  if (isFailure(result)) return { failed: result }
  if (!isAccepted) return { failed: 'internal call out of gas' }
  // Hardhat never estimates what the transaction costs before it does anything, but one more.
  const least = intrinsicGas(simulation, call) + 1n
  const used = result.totalGasSpent > least ? result.totalGasSpent : least
  // Enough for whatever gets no refund and makes no call that looks at the gas that is left.
  if ((await attempt(used)).isAccepted) return { gas: used }
  return { gas: await search(used, cap, async (gas) => (await attempt(gas)).isAccepted) }
}

async function search(
  from: bigint,
  to: bigint,
  isEnough: (gas: bigint) => Promise<boolean>,
): Promise<bigint> {
  let [low, high] = [from, to]
  for (let round = 0; round < MOST_ROUNDS && high - low > toleranceOf(low); round++) {
    const half = low + (high - low) / 2n
    // What was used is a good guess, and the cap is none.
    const middle = round === 0 && half > 3n * low ? 3n * low : half
    if (await isEnough(middle)) high = middle
    else low = middle + 1n
  }
  return high
}

async function tryCall(simulation: Simulation, call: Call, mode: GasEstimationMode): Promise<Try> {
  const { events } = simulation.vm.evm as EVM
  let depth = 0
  let isInternalOutOfGas = false
  const enter = (): void => {
    depth++
  }
  const leave = ({ execResult }: EVMResult): void => {
    depth--
    const error = execResult.exceptionError?.error
    if (depth > 0 && error !== undefined && isOutOfGas(error)) isInternalOutOfGas = true
  }
  events.on('beforeMessage', enter)
  events.on('afterMessage', leave)
  try {
    const result = await simulate(simulation, call)
    const isSafe = mode === 'topLevelSuccess' || !isInternalOutOfGas
    return { result, isAccepted: isSafe && !isFailure(result) }
  } finally {
    events.off('beforeMessage', enter)
    events.off('afterMessage', leave)
  }
}

function isFailure({ execResult }: RunTxResult): boolean {
  return execResult.exceptionError !== undefined
}

/** How close is close enough. */
function toleranceOf(gas: bigint): bigint {
  if (gas >= 4_000_000n) return 50_000n
  if (gas >= 1_000_000n) return 10_000n
  if (gas >= 100_000n) return 1_000n
  if (gas >= 50_000n) return 500n
  if (gas >= 30_000n) return 300n
  return 200n
}
