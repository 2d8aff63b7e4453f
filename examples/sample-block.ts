// A funded VM and a block of value transfers: what the other examples run, so that they can be short.
// The authority on nothing but that block; in your program both come from your chain.
// Must not import parallel-evm: it is what a user of ethereumjs has anyway.
import { type Block, createBlock } from '@ethereumjs/block'
import { Common, Hardfork, Mainnet } from '@ethereumjs/common'
import type { EVMOpts } from '@ethereumjs/evm'
import { createFeeMarket1559Tx } from '@ethereumjs/tx'
import {
  Account,
  Address,
  bigIntToAddressBytes,
  createAddressFromPrivateKey,
} from '@ethereumjs/util'
import { createVM, type VM } from '@ethereumjs/vm'

const ETHER = 10n ** 18n
const common = new Common({ chain: Mainnet, hardfork: Hardfork.Prague })
const keys = Array.from({ length: 64 }, (_, index) => new Uint8Array(32).fill(index + 1))
const recipients = keys.map((_, index) => new Address(bigIntToAddressBytes(BigInt(0x1000 + index))))

/** A VM in which 64 accounts have 10 ether each. */
export async function createFundedVM(evmOpts: EVMOpts = {}): Promise<VM> {
  const vm = await createVM({ common: common.copy(), evmOpts })
  for (const key of keys) {
    await vm.stateManager.putAccount(createAddressFromPrivateKey(key), new Account(0n, 10n * ETHER))
  }
  return vm
}

/** A block in which each account sends one transaction: ether to a recipient, or a call of `target`. */
export function createSampleBlock(target?: Address): Block {
  const transactions = keys.map((key, index) =>
    createFeeMarket1559Tx(
      {
        to: target ?? recipients[index],
        value: target === undefined ? ETHER : 0n,
        gasLimit: target === undefined ? 21_000 : 60_000,
        maxFeePerGas: 10n ** 10n,
        maxPriorityFeePerGas: 10n ** 9n,
      },
      { common },
    ).sign(key),
  )
  return createBlock(
    { header: { number: 1, timestamp: 1, gasLimit: 30_000_000, baseFeePerGas: 7n }, transactions },
    { common, skipConsensusFormatValidation: true },
  )
}
