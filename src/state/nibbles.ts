// Paths in a trie as arrays of nibbles, one per byte, and their compact form in nodes.
// Authority on hex-prefix encoding (Yellow Paper, appendix C). Must not know nodes.

/** The nibbles of `bytes`, high ones first. */
export function toNibbles(bytes: Uint8Array): Uint8Array {
  const nibbles = new Uint8Array(bytes.length * 2)
  for (let i = 0; i < bytes.length; i++) {
    nibbles[2 * i] = bytes[i] >> 4
    nibbles[2 * i + 1] = bytes[i] & 15
  }
  return nibbles
}

/** How many nibbles of `path` `key` has in common with it from `depth` on. */
export function commonLength(path: Uint8Array, key: Uint8Array, depth: number): number {
  const length = Math.min(path.length, key.length - depth)
  let i = 0
  while (i < length && path[i] === key[depth + i]) i++
  return i
}

/** The first `length` nibbles of `head`, then all of `tail`. */
export function joinPaths(head: Uint8Array, length: number, tail: Uint8Array): Uint8Array {
  const path = new Uint8Array(length + tail.length)
  for (let i = 0; i < length; i++) path[i] = head[i]
  path.set(tail, length)
  return path
}

/** How many bytes `path` takes in compact form. */
export function compactLength(path: Uint8Array): number {
  return (path.length >> 1) + 1
}

/** Writes `path` in compact form to `target` from `at` on; returns where it ends. */
export function writeCompact(
  path: Uint8Array,
  isLeaf: boolean,
  target: Uint8Array,
  at: number,
): number {
  const isOdd = path.length & 1
  target[at] = (isLeaf ? 0x20 : 0) | (isOdd ? 0x10 | path[0] : 0)
  let to = at + 1
  for (let i = isOdd; i < path.length; i += 2) target[to++] = (path[i] << 4) | path[i + 1]
  return to
}

/** The path whose compact form lies in `bytes` from `start` to `end`. */
export function readCompact(bytes: Uint8Array, start: number, end: number): Uint8Array {
  const isOdd = (bytes[start] >> 4) & 1
  const path = new Uint8Array(2 * (end - start - 1) + isOdd)
  if (isOdd) path[0] = bytes[start] & 15
  let to = isOdd
  for (let i = start + 1; i < end; i++) {
    path[to++] = bytes[i] >> 4
    path[to++] = bytes[i] & 15
  }
  return path
}
