// Roots of lists are those that stock finds with a trie of its own, whichever thread gets the list.
// Authority on lists alone: tries of hashed keys are update-trie.test.ts's.
import { createMPT } from '@ethereumjs/mpt'
import { RLP } from '@ethereumjs/rlp'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { loadKeccak } from '../../../src/state/keccak.ts'
import { listRoot, packList, unpackList } from '../../../src/state/list-root.ts'

const values = fc.array(fc.uint8Array({ minLength: 1, maxLength: 80 }), { maxLength: 300 })

async function rootOfStock(list: readonly Uint8Array[]): Promise<Uint8Array> {
  const trie = await createMPT()
  for (const [index, value] of list.entries()) await trie.put(RLP.encode(index), value)
  return trie.root()
}

it('the root of any list is that of stock’s trie', async () => {
  const keccak = await loadKeccak()
  await fc.assert(
    fc.asyncProperty(values, async (list) => {
      expect(listRoot(list, keccak)).toEqual(await rootOfStock(list))
    }),
    { numRuns: 40 },
  )
})

it.each([0, 1, 127, 128, 129, 255, 256, 257, 1_000])(
  'so is that of a list of %i, where the keys change their length',
  async (count) => {
    const list = Array.from({ length: count }, (_, i) => Uint8Array.of(1, i >> 8, i))
    expect(listRoot(list, await loadKeccak())).toEqual(await rootOfStock(list))
  },
)

it('a packed list is the list', () => {
  const anything = fc.array(fc.uint8Array({ maxLength: 80 }), { maxLength: 50 })
  fc.assert(
    fc.property(anything, (list) => {
      expect(unpackList(packList(list))).toEqual(list)
    }),
  )
})
