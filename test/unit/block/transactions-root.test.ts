// The root of a block's transactions is what stock computes, and stock computes it where it must.
// Authority on no more than that root.
import { createBlock } from '@ethereumjs/block'
import { Common, Hardfork, Mainnet } from '@ethereumjs/common'
import { createLegacyTx } from '@ethereumjs/tx'
import { KECCAK256_RLP } from '@ethereumjs/util'
import { sha256 } from '@noble/hashes/sha2.js'
import { describe, expect, it, vi } from 'vitest'
import { rememberTransactionsRoot, transactionsRoot } from '../../../src/block/transactions-root.ts'

function blockOf(count: number, customCrypto = {}): ReturnType<typeof createBlock> {
  const common = new Common({ chain: Mainnet, hardfork: Hardfork.Shanghai, customCrypto })
  const transactions = Array.from({ length: count }, (_, i) =>
    createLegacyTx(
      { nonce: i, data: new Uint8Array(i % 90).fill(i), v: 27n, r: BigInt(i + 1), s: 1n },
      { common: new Common({ chain: Mainnet, hardfork: Hardfork.Shanghai }) },
    ),
  )
  return createBlock({ transactions }, { common, skipConsensusFormatValidation: true })
}

describe('the root of transactions', () => {
  it.each([0, 1, 2, 3, 16, 127, 128, 129, 130, 257, 300])(
    'is that of stock for %i',
    async (count) => {
      const block = blockOf(count)
      const expected = await block.genTxTrie()
      expect(await transactionsRoot(block)).toEqual(expected)
      if (count === 0) expect(expected).toEqual(KECCAK256_RLP)
    },
  )

  it('is found by the validation of the block, which then takes no other', async () => {
    const block = blockOf(5)
    const own = vi.spyOn(Object.getPrototypeOf(block), 'genTxTrie')
    await rememberTransactionsRoot(block)
    expect(await block.transactionsTrieIsValid()).toBe(false)
    const valid = createBlock(
      {
        header: { transactionsTrie: await transactionsRoot(block) },
        transactions: [...block.transactions],
      },
      { common: block.common, skipConsensusFormatValidation: true },
    )
    await rememberTransactionsRoot(valid)
    expect(await valid.transactionsTrieIsValid()).toBe(true)
    expect(own).not.toHaveBeenCalled()
    own.mockRestore()
  })

  it("is stock's own where the block hashes otherwise, or has a method of its own", async () => {
    const odd = blockOf(3, { keccak256: sha256 })
    expect(await transactionsRoot(odd)).toEqual(await odd.genTxTrie())
    expect(await transactionsRoot(odd)).not.toEqual(await transactionsRoot(blockOf(3)))
    const own = Object.create(blockOf(3)) as ReturnType<typeof blockOf>
    own.genTxTrie = async () => Uint8Array.of(1)
    expect(await transactionsRoot(own)).toEqual(Uint8Array.of(1))
  })
})
