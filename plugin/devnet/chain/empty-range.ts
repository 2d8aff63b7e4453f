// Many empty blocks in a row as one entry: what hardhat_mine makes of a large count.
// The authority on the headers of such blocks, which are made when somebody asks for them. As on Hardhat's
// own network, blocks within a range name no parent (only its first does), so that any one can be made
// without the others; nothing runs in them, so the state stays what it was.

import { type Block, createBlock } from '@ethereumjs/block'
import type { Common } from '@ethereumjs/common'
import { ZERO_HASH } from '../hex.ts'

export interface EmptyRange {
  readonly first: bigint
  readonly last: bigint
  /** Of the block before the first. */
  readonly parentHash: Uint8Array
  /** Unix time of the first, and seconds from each block to the next. */
  readonly timestamp: bigint
  readonly interval: bigint
  readonly gasLimit: bigint
  readonly baseFeePerGas: bigint
  readonly coinbase: Uint8Array
  readonly stateRoot: Uint8Array
}

/** Block `number` of a range that has it. */
export function blockOfRange(range: EmptyRange, number: bigint, common: Common): Block {
  const { first, timestamp, interval, parentHash, gasLimit, baseFeePerGas, coinbase } = range
  const header = {
    number,
    parentHash: number === first ? parentHash : ZERO_HASH,
    timestamp: timestamp + (number - first) * interval,
    gasLimit,
    baseFeePerGas,
    coinbase,
    stateRoot: range.stateRoot,
    difficulty: 0n,
  }
  const withdrawals = common.isActivatedEIP(4895) ? { withdrawals: [] } : {}
  return createBlock({ header, ...withdrawals }, { common })
}
