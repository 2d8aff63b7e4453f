// The block that a call sees: that of a mined one or one to come, with what the caller overrides.
// The authority on the fields of block overrides.
// Must not be used for blocks that are mined: what it returns has no transactions and no valid hash.
import { type Block, createBlock, createBlockHeader, type HeaderData } from '@ethereumjs/block'
import type { Common } from '@ethereumjs/common'
import { z } from 'zod'

import { invalidParams } from '../rpc-error.ts'
import { address, hash, quantity, smallQuantity } from './hex-schemas.ts'

const withdrawal = z.object({
  index: smallQuantity,
  validatorIndex: smallQuantity,
  address,
  amount: smallQuantity,
})

export const blockOverrides = z.object({
  number: smallQuantity.nullish(),
  /** Ignored after the merge. */
  difficulty: quantity.nullish(),
  time: smallQuantity.nullish(),
  gasLimit: smallQuantity.nullish(),
  feeRecipient: address.nullish(),
  prevRandao: hash.nullish(),
  baseFeePerGas: quantity.nullish(),
  blobBaseFee: quantity.nullish(),
  /** Of eth_simulateV1 only. */
  beaconRoot: hash.nullish(),
  withdrawals: z.array(withdrawal).nullish(),
})

export type BlockOverrides = z.infer<typeof blockOverrides>

/**
 * The block around a call that pays no base fee: BASEFEE gives 0 unless it is overridden, as Hardhat does.
 * @throws RpcError if something is overridden that has a meaning for whole blocks only
 */
export function callBlock(block: Block, common: Common, overrides: BlockOverrides = {}): Block {
  if (overrides.beaconRoot != null || overrides.withdrawals != null) {
    const field = overrides.beaconRoot != null ? 'beaconRoot' : 'withdrawals'
    throw invalidParams(`Invalid params: ${field} cannot be overridden for a single call`)
  }
  const changed = withHeader(common, {
    ...headerData(block),
    baseFeePerGas: block.header.baseFeePerGas === undefined ? undefined : 0n,
    ...overriddenHeader(overrides),
  })
  overrideBlobFee(changed, overrides)
  return changed
}

/** No field of a header says what blob gas costs, so the header is told what to answer. */
export function overrideBlobFee({ header }: Block, { blobBaseFee }: BlockOverrides): void {
  if (blobBaseFee == null) return
  Object.defineProperty(header, 'getBlobGasPrice', { value: () => blobBaseFee })
}

/** Of the overrides, what is in a header. */
export function overriddenHeader(overrides: BlockOverrides): HeaderData {
  const { number, time, gasLimit, feeRecipient, prevRandao, baseFeePerGas } = overrides
  return {
    ...(number == null ? {} : { number }),
    ...(time == null ? {} : { timestamp: time }),
    ...(gasLimit == null ? {} : { gasLimit }),
    ...(feeRecipient == null ? {} : { coinbase: feeRecipient }),
    ...(prevRandao == null ? {} : { mixHash: prevRandao }),
    ...(baseFeePerGas == null ? {} : { baseFeePerGas }),
  }
}

/** All fields of the block's header. */
export function headerData({ header }: Block): HeaderData {
  const known = headerFields.flatMap((name) => {
    const value = (header as unknown as Record<string, unknown>)[name]
    return value === undefined ? [] : [[name, value] as const]
  })
  return Object.fromEntries(known)
}

const headerFields = [
  ...['parentHash', 'uncleHash', 'coinbase', 'stateRoot', 'transactionsTrie', 'receiptTrie'],
  ...['logsBloom', 'difficulty', 'number', 'gasLimit', 'gasUsed', 'timestamp', 'extraData'],
  ...['mixHash', 'nonce', 'baseFeePerGas', 'withdrawalsRoot', 'blobGasUsed', 'excessBlobGas'],
  ...['parentBeaconBlockRoot', 'requestsHash'],
] as const

export function withHeader(common: Common, data: HeaderData): Block {
  const options = { common, skipConsensusFormatValidation: true, freeze: false } as const
  const header = createBlockHeader(data, options)
  return createBlock({ header }, options)
}
