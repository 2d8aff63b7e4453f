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
  if (isCreation && dataLength === 0) {
    throw invalidInput('Contract creation without any data provided')
  }
  if (gas != null && gasCap !== undefined && gas > gasCap) {
    throw invalidInput(`transaction gas limit (${gas}) is greater than the cap (${gasCap})`)
  }
}
