// Numbers and bytes as JSON-RPC writes them (Ethereum's execution APIs: quantities and data).
// The authority on that form. Must not accept input from outside: rpc/schemas.ts does that.

export type Hex = `0x${string}`

/** A number without leading zeros: 0x0, 0x1f. */
export function quantity(value: bigint | number): Hex {
  return `0x${value.toString(16)}`
}

/** Bytes, two digits each: 0x, 0x01. */
export function hexOf(bytes: Uint8Array): Hex {
  return `0x${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')}`
}

/** The bytes of hex that is known to be well formed. */
export function bytesOf(hex: string): Uint8Array {
  const text = hex.startsWith('0x') ? hex.slice(2) : hex
  return Uint8Array.from(Buffer.from(text.length % 2 === 0 ? text : `0${text}`, 'hex'))
}

/** A number as 32 bytes in hex. */
export function word(value: bigint): Hex {
  return `0x${value.toString(16).padStart(64, '0')}`
}

export const ZERO_HASH: Hex = `0x${'0'.repeat(64)}`
export const EMPTY_BLOOM: Hex = `0x${'0'.repeat(512)}`
