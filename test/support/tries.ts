// Tries for tests: keys with long common starts, a store of nodes, and stock's trie as the oracle.
// Authority on nothing; what is right, @ethereumjs/mpt says. Must not use the code that is tested.
import { createMPT, type MerklePatriciaTrie } from '@ethereumjs/mpt'
import { MapDB, ValueEncoding } from '@ethereumjs/util'
import fc from 'fast-check'

/** Nodes by hash, as a trie's database has them, and how often they were asked for. */
export class NodeStore {
  readonly nodes = new Map<string, Uint8Array>()
  readonly reads: string[] = []
  readonly #isSlow: boolean

  constructor(isSlow = false) {
    this.#isSlow = isSlow
  }

  get(hash: Uint8Array): Uint8Array | undefined | Promise<Uint8Array | undefined> {
    const name = Buffer.from(hash).toString('hex')
    this.reads.push(name)
    const rlp = this.nodes.get(name)
    return this.#isSlow ? Promise.resolve(rlp) : rlp
  }

  add(nodes: readonly { readonly hash: Uint8Array; readonly rlp: Uint8Array }[]): void {
    for (const { hash, rlp } of nodes) this.nodes.set(Buffer.from(hash).toString('hex'), rlp)
  }

  /** Stock's trie over these nodes. */
  async stockTrie(root: Uint8Array): Promise<MerklePatriciaTrie> {
    const db = new MapDB<string, Uint8Array>(this.nodes)
    const trie = await createMPT({ db, valueEncoding: ValueEncoding.Bytes })
    trie.root(root)
    return trie
  }
}

/** Places in a key where keys differ: at the start, within, and at the end, where nodes get tiny. */
const PLACES = [0, 1, 2, 31, 32, 60, 61, 62, 63]

/** Keys of 32 bytes of which many share their first nibbles, and some all but their last. */
export const closeKeys: fc.Arbitrary<Uint8Array> = fc
  .array(fc.nat(2), { minLength: PLACES.length, maxLength: PLACES.length })
  .chain((digits) =>
    fc.subarray(PLACES).map((places) => {
      const key = new Uint8Array(32)
      for (const place of places) {
        key[place >> 1] |= digits[PLACES.indexOf(place)] << (place & 1 ? 0 : 4)
      }
      return key
    }),
  )

/** Values from so small that nodes lie within their parents to so large that lengths need a byte. */
export const trieValues: fc.Arbitrary<Uint8Array> = fc.oneof(
  fc.uint8Array({ minLength: 1, maxLength: 3 }),
  fc.uint8Array({ minLength: 28, maxLength: 34 }),
  fc.uint8Array({ minLength: 54, maxLength: 70 }),
)

export interface TestChange {
  readonly key: Uint8Array
  readonly value: Uint8Array | null
}

/** Changes in no order, a key at most once. */
export function changesOf(
  keys: fc.Arbitrary<Uint8Array>,
  maxLength: number,
): fc.Arbitrary<TestChange[]> {
  const value = fc.oneof({ weight: 3, arbitrary: trieValues }, fc.constant(null))
  return fc.uniqueArray(fc.record({ key: keys, value }), {
    maxLength,
    size: 'max',
    selector: ({ key }) => Buffer.from(key).toString('hex'),
  })
}

/** Applies changes one by one, as stock does. */
export async function applyStock(
  trie: MerklePatriciaTrie,
  changes: readonly TestChange[],
): Promise<void> {
  for (const { key, value } of changes) {
    if (value === null) await trie.del(key)
    else await trie.put(key, value)
  }
}
