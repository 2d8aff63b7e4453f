// From a network of Hardhat's config to the options of a devnet.
// The authority on what each key of the config means to the devnet.
// Must not decide defaults: the config is resolved, and the rest is the devnet's.
import type { EdrNetworkAccountsConfig } from 'hardhat/types/config'

import type { DevnetOptions } from '../devnet/devnet-contract.ts'
import type { MarkedNetworkConfig } from './network-config.ts'

/** Reads configuration variables, which may ask the user for a secret. */
export async function devnetOptions(config: MarkedNetworkConfig): Promise<DevnetOptions> {
  const { blockGasLimit, initialBaseFeePerGas, parallel } = config
  return {
    chainId: config.chainId,
    networkId: config.networkId,
    hardfork: ethereumjsHardfork(config.hardfork),
    accounts: await accountOptions(config.accounts),
    ...(typeof blockGasLimit === 'bigint' ? { blockGasLimit } : {}),
    ...(parallel.workers === undefined ? {} : { workers: parallel.workers }),
    mining: {
      auto: config.mining.auto,
      interval: config.mining.interval,
      order: config.mining.mempool.order,
    },
    ...(parallel.dataDir === undefined ? {} : { dataDir: parallel.dataDir }),
    coinbase: `0x${Buffer.from(config.coinbase).toString('hex')}`,
    ...(initialBaseFeePerGas === undefined ? {} : { initialBaseFeePerGas }),
    initialDate: new Date(config.initialDate),
    allowUnlimitedContractSize: config.allowUnlimitedContractSize ?? false,
    allowBlocksWithSameTimestamp: config.allowBlocksWithSameTimestamp,
    minGasPrice: config.minGasPrice,
    throwOnTransactionFailures: config.throwOnTransactionFailures,
    throwOnCallFailures: config.throwOnCallFailures,
    gasEstimationMode: config.gasEstimationMode,
  }
}

/** Hardhat names one hardfork after the event and ethereumjs after the city. */
function ethereumjsHardfork(name: string): string {
  return name === 'merge' ? 'paris' : name
}

async function accountOptions(
  accounts: EdrNetworkAccountsConfig,
): Promise<NonNullable<DevnetOptions['accounts']>> {
  if (Array.isArray(accounts)) {
    return {
      privateKeys: await Promise.all(accounts.map((one) => one.privateKey.getHexString())),
      balances: accounts.map((one) => one.balance),
    }
  }
  return {
    mnemonic: (await accounts.mnemonic.get()).trim(),
    count: accounts.count,
    passphrase: await accounts.passphrase.get(),
    path: accounts.path,
    initialIndex: accounts.initialIndex,
    balance: accounts.accountsBalance,
  }
}
