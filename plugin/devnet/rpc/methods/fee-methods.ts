// eth_* methods about fees. The authority on what is suggested, and on fee histories.

import { z } from 'zod'
import type { SealedBlock } from '../../chain/sealed-block.ts'
import { type Hex, quantity } from '../../hex.ts'
import { invalidInput, invalidParams } from '../../rpc-error.ts'
import { getBlock } from '../find-block.ts'
import { type MethodTable, method } from '../method-table.ts'
import { pause } from '../pause.ts'
import { blockTag, count } from '../schemas.ts'

/** Wei of a tip that is always enough. */
const TIP = 1_000_000_000n
const MOST_BLOCKS = 1_024n
/** Blocks between pauses, so that others get an answer meanwhile. */
const BLOCKS_AT_ONCE = 16

export const feeMethods: MethodTable = {
  eth_gasPrice: method([], ({ core }) => quantity(core.miner.nextHeader().baseFeePerGas + TIP)),
  eth_maxPriorityFeePerGas: method([], () => quantity(TIP)),
  eth_blobBaseFee: method([], ({ core }) => {
    const { header } = core.chain.head
    const { common } = core.rules
    if (!common.isActivatedEIP(4844)) {
      throw invalidInput('eth_blobBaseFee needs the hardfork cancun or a later one')
    }
    return quantity(header.calcNextBlobGasPrice(common))
  }),

  eth_feeHistory: method(
    [count, blockTag, z.array(z.number()).max(100).nullish()],
    async ({ core }, blocks, newest, percentiles) => {
      if (blocks === 0n || blocks > MOST_BLOCKS) {
        throw invalidParams(
          `Invalid params: blockCount should be at least 1 and at most ${MOST_BLOCKS}, but it is ${blocks}`,
        )
      }
      checkPercentiles(percentiles ?? [])
      const last = getBlock(core.chain, newest === 'pending' ? 'latest' : newest) as SealedBlock
      const lastNumber = last.header.number
      const first = blocks > lastNumber ? 0n : lastNumber - blocks + 1n
      const fees: bigint[] = []
      const gasUsedRatio: number[] = []
      const reward: Hex[][] = []
      for (let number = first; number <= lastNumber; number++) {
        if (fees.length % BLOCKS_AT_ONCE === BLOCKS_AT_ONCE - 1) await pause()
        const sealed = core.chain.block(number)
        // Taken back meanwhile.
        if (sealed === undefined) break
        const { header } = sealed
        fees.push(header.baseFeePerGas ?? 0n)
        gasUsedRatio.push(Number(header.gasUsed) / Number(header.gasLimit))
        if (percentiles != null) reward.push(rewards(sealed, percentiles))
      }
      const following = core.chain.block(lastNumber + 1n)
      const nextFee = following?.header.baseFeePerGas ?? core.miner.nextHeader().baseFeePerGas
      return {
        oldestBlock: quantity(first),
        baseFeePerGas: [...fees, nextFee].map(quantity),
        gasUsedRatio,
        ...(percentiles == null ? {} : { reward }),
      }
    },
  ),
}

function checkPercentiles(percentiles: readonly number[]): void {
  percentiles.forEach((percentile, index) => {
    if (percentile < 0 || percentile > 100) {
      throw invalidInput(
        `The reward percentile number ${index + 1} is invalid. It must be a float between 0 and 100, but is ${percentile} instead.`,
      )
    }
    if (index > 0 && percentile < (percentiles[index - 1] as number)) {
      throw invalidInput(
        `The reward percentiles should be in non-decreasing order, but the percentile number ${index} is greater than the next one`,
      )
    }
  })
}

/** The tips that these shares of a block's gas paid at most; receipts know them, so nothing is decoded. */
function rewards({ header, receipts }: SealedBlock, percentiles: readonly number[]): Hex[] {
  const baseFee = header.baseFeePerGas ?? 0n
  const paid = receipts
    .map(({ effectiveGasPrice, gasUsed }) => ({
      tip: effectiveGasPrice - baseFee,
      gas: Number(gasUsed),
    }))
    .sort((a, b) => (a.tip < b.tip ? -1 : a.tip > b.tip ? 1 : 0))
  return percentiles.map((percentile) => {
    const wanted = (Number(header.gasUsed) * percentile) / 100
    let gas = 0
    for (const { tip, gas: used } of paid) {
      gas += used
      if (gas >= wanted) return quantity(tip)
    }
    return '0x0'
  })
}
