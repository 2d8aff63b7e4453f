// What a block writes to the state outside of its transactions, before and after them.
// The authority on it for simulated blocks; stock's runBlock and builder do it for real ones.
// Must not write to system contracts that the state does not have.
import type { Block } from '@ethereumjs/block'
import {
  Account,
  type Address,
  bigIntToBytes,
  createAddressFromString,
  setLengthLeft,
  unpadBytes,
} from '@ethereumjs/util'
import type { VM } from '@ethereumjs/vm'

import type { BlockOverrides } from '../call-block.ts'

/** EIP-4788 and EIP-2935: slots of both are rings of this length. */
const ringLength = 8191n
const beaconRoots = createAddressFromString('0x000f3df6d732807ef1319fb7b8bb8522d0beac02')
const blockHashes = createAddressFromString('0x0000f90827f1c53a10cb7a02335b175320002935')
const weiPerGwei = 1_000_000_000n

export async function writeBeforeCalls(vm: VM, { header }: Block): Promise<void> {
  const { timestamp, number, parentBeaconBlockRoot, parentHash } = header
  if (vm.common.isActivatedEIP(4788) && parentBeaconBlockRoot !== undefined) {
    const slot = timestamp % ringLength
    await write(vm, beaconRoots, slot, bigIntToBytes(timestamp))
    await write(vm, beaconRoots, slot + ringLength, parentBeaconBlockRoot)
  }
  if (vm.common.isActivatedEIP(2935)) {
    await write(vm, blockHashes, (number - 1n) % ringLength, parentHash)
  }
}

async function write(vm: VM, address: Address, slot: bigint, value: Uint8Array): Promise<void> {
  if ((await vm.stateManager.getCodeSize(address)) === 0) return
  const key = setLengthLeft(bigIntToBytes(slot), 32)
  await vm.stateManager.putStorage(address, key, unpadBytes(value))
}

export async function payWithdrawals(vm: VM, { withdrawals }: BlockOverrides): Promise<void> {
  for (const { address, amount } of withdrawals ?? []) {
    const account = (await vm.stateManager.getAccount(address)) ?? new Account()
    account.balance += amount * weiPerGwei
    if (amount > 0n) await vm.stateManager.putAccount(address, account)
  }
}
