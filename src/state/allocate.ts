// Where the bytes of new nodes lie: each in an array of its own, or many in one.
// Authority on who may get arrays that share memory: only who keeps all nodes of an update anyway.

/** Gives so many bytes, which are zero. */
export type Allocate = (length: number) => Uint8Array

/** An array of its own for each node. */
export const allocateAlone: Allocate = (length) => new Uint8Array(length)

/** Room for some 50 nodes: few enough that one that is left keeps little else in memory. */
const SHARED_BYTES = 16_384

/** Larger ones would waste the rest of what is shared. */
const LARGEST_SHARED = 1_024

/**
 * Makes an allocator whose arrays share memory. An array of its own costs about as much as hashing what is
 * in it, most of it when it is cleared away.
 */
export function createSharedAllocator(): Allocate {
  let buffer = new ArrayBuffer(SHARED_BYTES)
  let used = 0
  return (length) => {
    if (length > LARGEST_SHARED) return new Uint8Array(length)
    if (used + length > SHARED_BYTES) {
      buffer = new ArrayBuffer(SHARED_BYTES)
      used = 0
    }
    const bytes = new Uint8Array(buffer, used, length)
    used += length
    return bytes
  }
}
