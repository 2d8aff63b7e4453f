// The root of a block's transactions, in one pass instead of one update of a trie for each.
// Authority on when that may take the place of stock's: for blocks of stock's own class that hash with
// keccak-256. Must give what `genTxTrie` gives.

import { Block } from '@ethereumjs/block'
import { equalsBytes, KECCAK256_NULL } from '@ethereumjs/util'
import { transactionBytes } from '../execution/transaction-rlp.ts'
import { loadKeccak } from '../state/keccak.ts'
import { listRoot } from '../state/list-root.ts'
import { isUnmodified } from '../state/unmodified.ts'

/** What `block.genTxTrie()` gives. */
export async function transactionsRoot(block: Block): Promise<Uint8Array> {
  const hash = block.common.customCrypto.keccak256
  const isKeccak = hash === undefined || equalsBytes(hash(new Uint8Array(0)), KECCAK256_NULL)
  if (!isKeccak || !isUnmodified(block, Block)) return block.genTxTrie()
  return listRoot(block.transactions.map(transactionBytes), await loadKeccak())
}

/** Lets stock's validation of `block` find the root, which it would compute and then remember. */
export async function rememberTransactionsRoot(block: Block): Promise<void> {
  const { cache } = block as unknown as { cache?: { txTrieRoot?: Uint8Array } }
  if (cache === undefined || cache.txTrieRoot !== undefined) return
  if (!isUnmodified(block, Block) || block.transactions.length === 0) return
  try {
    cache.txTrieRoot = await transactionsRoot(block)
  } catch {
    // Stock finds the same fault, at its own time.
  }
}
