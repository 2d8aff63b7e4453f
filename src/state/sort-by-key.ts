// Sorts by keys of bytes, fast where keys are hashes.
// Authority on the order of keys in a trie. Must not assume anything of keys but that they are bytes.

/** More entries than this have no room for their place beside the start of their key. */
const MOST_RANKED = 2 ** 20

/** The entries sorted by key. */
export function sortByKey<T extends { readonly key: Uint8Array }>(entries: readonly T[]): T[] {
  const compare = (a: T, b: T): number => compareBytes(a.key, b.key)
  if (entries.length > MOST_RANKED) return entries.toSorted(compare)
  // Numbers are sorted much faster than objects, and the starts of hashes hardly ever agree; the second
  // sorting then only looks whether all is in order.
  const ranks = new Float64Array(entries.length)
  for (let i = 0; i < entries.length; i++) ranks[i] = startOf(entries[i].key) * MOST_RANKED + i
  return Array.from(ranks.sort(), (rank) => entries[rank % MOST_RANKED]).sort(compare)
}

/** The first four bytes as a number; bytes that are missing count as zero. */
function startOf(key: Uint8Array): number {
  return ((key[0] << 24) | (key[1] << 16) | (key[2] << 8) | key[3]) >>> 0
}

export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) if (a[i] !== b[i]) return a[i] - b[i]
  return a.length - b.length
}
