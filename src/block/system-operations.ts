// What a block does to the state besides its transactions, on the calling thread and the user's state.
// Authority on system operations and payouts in a parallel block, and on what they add to its access list
// (EIP-7928); each does what stock's runBlock does.

import type { Block } from '@ethereumjs/block'
import { ConsensusType } from '@ethereumjs/common'
import {
  Account,
  Address,
  bigIntToAddressBytes,
  bigIntToBytes,
  createAddressFromString,
  GWEI_TO_WEI,
  setLengthLeft,
  type Withdrawal,
} from '@ethereumjs/util'
import type { VM } from '@ethereumjs/vm'
import { listedAddress } from '../access/listed-accesses.ts'
import { accessListOf } from './committed-access-list.ts'

/** EIP-4788's contract; ethereumjs has no parameter for it. */
const BEACON_ROOTS_ADDRESS = createAddressFromString('0x000F3df6D732807Ef1319fB7B8bB8522d0Beac02')

/** System operations before the transactions: EIP-4788 and EIP-2935. */
export async function beforeTransactions(vm: VM, block: Block): Promise<void> {
  if (vm.common.isActivatedEIP(4788)) {
    await storeBeaconRoot(
      vm,
      block.header.parentBeaconBlockRoot as Uint8Array,
      block.header.timestamp,
    )
  }
  if (vm.common.isActivatedEIP(2935)) {
    await storeParentHash(vm, block.header.number, block.header.parentHash)
  }
}

/** Withdrawals (EIP-4895), then the rewards of proof of work. */
export async function afterTransactions(vm: VM, block: Block): Promise<void> {
  if (vm.common.isActivatedEIP(4895)) {
    const list = accessListOf(vm)
    if (list !== undefined) list.blockAccessIndex = block.transactions.length + 1
    // Absent where block and VM have different hardforks: the error is stock's, to the word.
    const withdrawals = block.withdrawals as Withdrawal[]
    for (const { address, amount } of withdrawals) {
      await credit(vm, address, amount * GWEI_TO_WEI)
    }
    await vm.evm.journal.cleanup()
  }
  if (block.common.consensusType() === ConsensusType.ProofOfWork) await payRewards(vm, block)
}

/** Two entries of a ring buffer: the time, and the root, `historicalRootsLength` further on. */
async function storeBeaconRoot(vm: VM, root: Uint8Array, timestamp: bigint): Promise<void> {
  if (!(await hasCode(vm, BEACON_ROOTS_ADDRESS))) return
  const length = vm.common.param('historicalRootsLength')
  const position = timestamp % length
  await store(vm, BEACON_ROOTS_ADDRESS, position, bigIntToBytes(timestamp))
  await store(vm, BEACON_ROOTS_ADDRESS, position + length, root)
  await vm.evm.journal.cleanup()
}

async function storeParentHash(vm: VM, number: bigint, parentHash: Uint8Array): Promise<void> {
  const address = new Address(bigIntToAddressBytes(vm.common.param('historyStorageAddress')))
  if (!(await hasCode(vm, address))) return
  const position = (number - 1n) % vm.common.param('historyServeWindow')
  await store(vm, address, position, parentHash)
  await vm.evm.journal.cleanup()
}

/** EIP-649 and its successors: the miner gets 1/32 of the reward for each uncle it includes. */
async function payRewards(vm: VM, block: Block): Promise<void> {
  const reward = vm.common.param('minerReward')
  for (const uncle of block.uncleHeaders) {
    const share = ((8n - (block.header.number - uncle.number)) * reward) / 8n
    await credit(vm, uncle.coinbase, share < 0n ? 0n : share)
  }
  const bonus = (reward / 32n) * BigInt(block.uncleHeaders.length)
  await credit(vm, block.header.coinbase, reward + bonus)
}

/** Adds wei to an account, which it touches even where the amount is zero. */
async function credit(vm: VM, address: Address, amount: bigint): Promise<void> {
  const account = (await vm.stateManager.getAccount(address)) ?? new Account()
  const before = account.balance
  account.balance += amount
  const list = accessListOf(vm)
  if (amount === 0n) list?.addAddress(listedAddress(address))
  else
    list?.addBalanceChange(listedAddress(address), account.balance, list.blockAccessIndex, before)
  await vm.evm.journal.putAccount(address, account)
}

/** Whether there is a contract to write to; that it was looked for is listed either way. */
async function hasCode(vm: VM, address: Address): Promise<boolean> {
  if ((await vm.stateManager.getCode(address)).length > 0) return true
  accessListOf(vm)?.addAddress(listedAddress(address))
  return false
}

async function store(vm: VM, address: Address, slot: bigint, value: Uint8Array): Promise<void> {
  const key = setLengthLeft(bigIntToBytes(slot), 32)
  const list = accessListOf(vm)
  list?.addStorageWrite(listedAddress(address), key, value, list.blockAccessIndex)
  await vm.stateManager.putStorage(address, key, value)
}
