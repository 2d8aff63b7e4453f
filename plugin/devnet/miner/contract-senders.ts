// Lets an account with code send a transaction, as Hardhat allows where the account is impersonated.
// The authority on how EIP-3607 is passed by: ethereumjs lets senders whose code is a delegation
// (EIP-7702) pass, so its one look at the sender's code before the transaction runs is shown one.
// Must not change what the transaction itself sees.

import type { VM } from '@ethereumjs/vm'
import type { Hex } from '../hex.ts'

/** Runs `use`, in which one transaction of `sender` may be run on `vm`. */
export async function withContractSender<T>(
  vm: VM,
  sender: Hex,
  use: () => Promise<T>,
): Promise<T> {
  const { stateManager } = vm
  let isFirst = true
  const own = stateManager.getCode
  stateManager.getCode = async (address) => {
    if (isFirst && address.toString() === sender) {
      isFirst = false
      return DELEGATION
    }
    return own.call(stateManager, address)
  }
  try {
    return await use()
  } finally {
    // The method is the prototype's again.
    delete (stateManager as { getCode?: unknown }).getCode
  }
}

const DELEGATION = Uint8Array.from([0xef, 0x01, 0x00, ...new Uint8Array(20)])
