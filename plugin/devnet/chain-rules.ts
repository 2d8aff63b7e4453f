// The rules of a devnet's chain, as ethereumjs' Common, and VMs that follow them.
// The authority on which hardfork is in force: one, from the first block on.

import { paramsBlock } from '@ethereumjs/block'
import { type Common, createCustomCommon, Mainnet } from '@ethereumjs/common'
import { type EVMMockBlockchainInterface, paramsEVM } from '@ethereumjs/evm'
import { paramsTx } from '@ethereumjs/tx'
import { createVM, paramsVM, type VM } from '@ethereumjs/vm'
import type { FlatState } from '../../src/index.ts'
import type { ResolvedDevnetOptions } from './devnet-options.ts'
import { lazyKzg } from './kzg/lazy-kzg.ts'

/** EIP-7825: what a transaction may ask for, from Osaka on. */
const TRANSACTION_GAS_CAP = 2n ** 24n

export interface ChainRules {
  /** For transactions and blocks, which all share it. */
  readonly common: Common
  /** For whoever makes copies of it: the state. */
  readonly stateCommon: Common
  /** The most gas that one transaction may have, where there is a bound other than the block's. */
  readonly transactionGasCap: bigint | undefined
  readonly allowUnlimitedContractSize: boolean
}

export function createChainRules(options: ResolvedDevnetOptions): ChainRules {
  const { chainId, hardfork, allowUnlimitedContractSize } = options
  const create = () => {
    const rules = { hardfork, customCrypto: { kzg: lazyKzg } }
    return createCustomCommon({ chainId, name: 'devnet' }, Mainnet, rules)
  }
  const common = settle(create())
  return {
    common,
    stateCommon: create(),
    transactionGasCap: common.isActivatedEIP(7825) ? TRANSACTION_GAS_CAP : undefined,
    allowUnlimitedContractSize,
  }
}

/**
 * ethereumjs gives each transaction and header a Common of its own, and that the parameters that they need,
 * which takes longer than all the rest (90 of 110 microseconds). Here nobody ever sets another hardfork, so
 * one that has all parameters already can stand for all copies.
 */
function settle(common: Common): Common {
  const known: readonly unknown[] = [paramsTx, paramsBlock, paramsEVM, paramsVM]
  for (const params of [paramsTx, paramsBlock, paramsEVM, paramsVM]) common.updateParams(params)
  const update = common.updateParams.bind(common)
  common.updateParams = (params) => {
    if (!known.includes(params)) update(params)
  }
  common.copy = () => common
  return common
}

/** A VM on `stateManager`, by these rules. */
export function createChainVm(
  rules: ChainRules,
  stateManager: FlatState,
  blockchain: EVMMockBlockchainInterface,
): Promise<VM> {
  const { common, allowUnlimitedContractSize } = rules
  return createVM({
    common,
    stateManager,
    blockchain,
    evmOpts: {
      common,
      stateManager,
      blockchain,
      allowUnlimitedContractSize,
      allowUnlimitedInitCodeSize: allowUnlimitedContractSize,
    },
  })
}
