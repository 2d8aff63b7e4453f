// What no call may be, although the EVM could run it.
// The authority on these refusals, which are Hardhat's; eth_createAccessList and eth_simulateV1 have others.
// Must not change the call.
import { invalidInput } from '../rpc-error.ts'

export interface LimitedCall {
  readonly isCreation: boolean
  readonly dataLength: number
  /** What the client asks for. */
  readonly gas: bigint | null | undefined
}

/**
 * @param gasCap - of any transaction (EIP-7825), where there is one
 * @throws RpcError
 */
export function checkCall(
  { isCreation, dataLength, gas }: LimitedCall,
  gasCap: bigint | undefined,
): void {
  checkCreation(isCreation, dataLength)
  checkGasCap(gas, gasCap)
}

/** @throws RpcError for a creation of nothing, whether it is called or sent */
export function checkCreation(isCreation: boolean, dataLength: number): void {
  if (!isCreation || dataLength > 0) return
  throw invalidInput('Contract creation without any data provided')
}

/** @throws RpcError for more gas than the cap of any transaction (EIP-7825), where there is one */
export function checkGasCap(gas: bigint | null | undefined, cap: bigint | undefined): void {
  if (gas == null || cap === undefined || gas <= cap) return
  throw invalidInput(`transaction gas limit (${gas}) is greater than the cap (${cap})`)
}
