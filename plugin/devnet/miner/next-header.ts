// The header that the next block starts from.
// The authority on where each of its fields comes from: the parent, the rules, or what clients have set.

import type { BlockHeader, HeaderData } from '@ethereumjs/block'
import type { ChainRules } from '../chain-rules.ts'
import type { Hex } from '../hex.ts'

export interface HeaderSettings {
  readonly timestamp: bigint
  readonly gasLimit: bigint
  readonly coinbase: Hex
  readonly prevRandao: Hex
  readonly parentBeaconBlockRoot: Hex
  /** Default: what the parent's gas makes of its base fee (EIP-1559). */
  readonly baseFeePerGas: bigint | undefined
}

export interface NextHeader {
  readonly data: HeaderData
  readonly baseFeePerGas: bigint
  readonly gasLimit: bigint
  readonly timestamp: bigint
  readonly hasWithdrawals: boolean
}

export function nextHeader(
  rules: ChainRules,
  parent: BlockHeader,
  settings: HeaderSettings,
): NextHeader {
  const { common } = rules
  const { timestamp, gasLimit, coinbase, prevRandao, parentBeaconBlockRoot } = settings
  const baseFeePerGas = settings.baseFeePerGas ?? parent.calcNextBaseFee()
  const data: HeaderData = {
    number: parent.number + 1n,
    parentHash: parent.hash(),
    timestamp,
    gasLimit,
    coinbase,
    baseFeePerGas,
    mixHash: prevRandao,
    difficulty: 0n,
    ...(common.isActivatedEIP(4788) ? { parentBeaconBlockRoot } : {}),
  }
  return {
    data,
    baseFeePerGas,
    gasLimit,
    timestamp,
    hasWithdrawals: common.isActivatedEIP(4895),
  }
}
