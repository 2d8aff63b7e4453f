// What a block has logs of, as a Bloom filter of its own size: unlike a header's 2,048 bits, which 2,000
// token transfers fill, it lets one in 300 strangers pass whatever the block's size.
// The authority on its bits. Reads by a stranger's name may hit, those by a member's always do.

/** Bits for each name, and bits that each name sets. */
const BITS_PER_NAME = 12
const PROBES = 6
const LEAST_BITS = 64

/** A filter that has all these names. */
export function createLogFilter(names: ReadonlySet<number>): Uint8Array {
  let bits = LEAST_BITS
  while (bits < names.size * BITS_PER_NAME) bits *= 2
  const filter = new Uint8Array(bits / 8)
  for (const name of names) {
    for (let probe = 0; probe < PROBES; probe++) {
      const bit = bitOf(name, probe, bits)
      filter[bit >> 3] = (filter[bit >> 3] as number) | (1 << (bit & 7))
    }
  }
  return filter
}

export function mayHave(filter: Uint8Array, name: number): boolean {
  const bits = filter.length * 8
  for (let probe = 0; probe < PROBES; probe++) {
    const bit = bitOf(name, probe, bits)
    if (((filter[bit >> 3] as number) & (1 << (bit & 7))) === 0) return false
  }
  return true
}

/** A name for bytes at a place (0 for addresses, 1.. for topics): 32 bits that differ for most. */
export function logName(place: number, bytes: Uint8Array): number {
  let mixed = Math.imul(place + 1, 0x9e3779b1)
  for (let at = 0; at < bytes.length; at++) {
    mixed = Math.imul(mixed ^ (bytes[at] as number), 0x01000193)
    mixed ^= mixed >>> 15
  }
  return spread(mixed)
}

function bitOf(name: number, probe: number, bits: number): number {
  return spread(name + Math.imul(probe + 1, 0x85ebca6b)) & (bits - 1)
}

/** MurmurHash3's last step. */
function spread(value: number): number {
  let mixed = value ^ (value >>> 16)
  mixed = Math.imul(mixed, 0x85ebca6b)
  mixed ^= mixed >>> 13
  mixed = Math.imul(mixed, 0xc2b2ae35)
  return (mixed ^ (mixed >>> 16)) >>> 0
}
