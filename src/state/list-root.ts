// Roots of a block's lists, its transactions and its receipts: a trie that has each value under the RLP of its
// place (Yellow Paper, section 4.3.2). Authority on the form in which such a list crosses to another thread.
// Must not know what the values are.

import { RLP } from '@ethereumjs/rlp'
import type { Keccak } from './keccak.ts'
import { sortByKey } from './sort-by-key.ts'
import { buildTrie } from './update-trie.ts'

/** 32 bytes; of an empty list, the root of an empty trie. */
export function listRoot(values: readonly Uint8Array[], keccak: Keccak): Uint8Array {
  const entries = values.map((value, index) => ({ key: RLP.encode(index), value }))
  return buildTrie(sortByKey(entries), keccak).root
}

/** The values in one array: how many, how long each is (as 32-bit words), and their bytes in a row. */
export function packList(values: readonly Uint8Array[]): Uint8Array {
  const head = new Uint32Array([values.length, ...values.map(({ length }) => length)])
  const packed = new Uint8Array(values.reduce((sum, { length }) => sum + length, head.byteLength))
  packed.set(new Uint8Array(head.buffer))
  let at = head.byteLength
  for (const value of values) {
    packed.set(value, at)
    at += value.length
  }
  return packed
}

/** Views on the values of {@link packList}. `packed` begins its buffer, or lies in it at a multiple of 4. */
export function unpackList(packed: Uint8Array): Uint8Array[] {
  const [count] = new Uint32Array(packed.buffer, packed.byteOffset, 1)
  const lengths = new Uint32Array(packed.buffer, packed.byteOffset + 4, count)
  let end = (count + 1) * 4
  return Array.from(lengths, (length) => {
    end += length
    return packed.subarray(end - length, end)
  })
}
