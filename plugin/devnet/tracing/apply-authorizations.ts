// The authorisation list of a call (EIP-7702): which accounts delegate to which code before it runs.
// The authority on which authorisations count in a call; those of mined transactions are stock's runTx to do.
// Must not charge gas: the caller does, with the refund that this returns.
import {
  Account,
  type Address,
  bigIntToUnpaddedBytes,
  concatBytes,
  eoaCode7702RecoverAuthority,
  equalsBytes,
  MAX_UINT64,
  SECP256K1_ORDER_DIV_2,
} from '@ethereumjs/util'
import type { VM } from '@ethereumjs/vm'

import type { Authorization } from './call-request.ts'

const delegationPrefix = new Uint8Array([0xef, 0x01, 0x00])

/** Where the code of an account delegates to, if it does. */
export function delegationIn(code: Uint8Array): Uint8Array | undefined {
  if (code.length !== 23 || !equalsBytes(code.subarray(0, 3), delegationPrefix)) return undefined
  return code.subarray(3)
}

/** Invalid ones are skipped, as the EIP says. Returns the refund in gas for accounts that exist. */
export async function applyAuthorizations(
  vm: VM,
  authorizations: readonly Authorization[],
  refundPerExisting: bigint,
): Promise<bigint> {
  let refund = 0n
  for (const each of authorizations) {
    const authority = authorityOf(vm, each)
    if (authority === undefined) continue
    vm.evm.journal.addAlwaysWarmAddress(authority.toString())
    const account = await vm.stateManager.getAccount(authority)
    const code = await vm.stateManager.getCode(authority)
    if (code.length > 0 && delegationIn(code) === undefined) continue
    if ((account?.nonce ?? 0n) !== each.nonce) continue
    if (account !== undefined) refund += refundPerExisting
    await delegate(vm, authority, account ?? new Account(), each.address)
  }
  return refund
}

async function delegate(vm: VM, authority: Address, account: Account, to: Address): Promise<void> {
  account.nonce += 1n
  await vm.evm.journal.putAccount(authority, account)
  const code = to.isZero() ? new Uint8Array(0) : concatBytes(delegationPrefix, to.bytes)
  await vm.stateManager.putCode(authority, code)
}

function authorityOf(vm: VM, each: Authorization): Address | undefined {
  const { chainId, nonce, yParity, r, s } = each
  if (chainId !== 0n && chainId !== vm.common.chainId()) return undefined
  if (nonce >= MAX_UINT64 || s > SECP256K1_ORDER_DIV_2 || yParity > 1n) return undefined
  try {
    return eoaCode7702RecoverAuthority([
      bigIntToUnpaddedBytes(chainId),
      each.address.bytes,
      bigIntToUnpaddedBytes(nonce),
      bigIntToUnpaddedBytes(yParity),
      bigIntToUnpaddedBytes(r),
      bigIntToUnpaddedBytes(s),
    ])
  } catch {
    return undefined
  }
}
