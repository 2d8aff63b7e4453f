// Bytes from and to the hex names that stock's caches and databases use: lower case, without 0x.
// Authority on nothing but speed: Buffer's ways cost as much as hashing where bytes are few.

/** What a character's code stands for. */
const nibbleOfCode = new Uint8Array(128)
for (let nibble = 0; nibble < 16; nibble++) {
  nibbleOfCode[nibble.toString(16).charCodeAt(0)] = nibble
}

/** Hashes are named one after the other, so that they need not each become a Buffer first. */
const scratch = Buffer.alloc(32)

/** The bytes that `hex` names; an array of its own, which may be kept and handed out. */
export function bytesOfHex(hex: string): Uint8Array {
  const bytes = new Uint8Array(hex.length >> 1)
  if (bytes.length > 2 * scratch.length) {
    Buffer.from(bytes.buffer).write(hex, 'hex')
    return bytes
  }
  for (let i = 0; i < bytes.length; i++) {
    bytes[i] = (nibbleOfCode[hex.charCodeAt(2 * i)] << 4) | nibbleOfCode[hex.charCodeAt(2 * i + 1)]
  }
  return bytes
}

/** The name of `bytes`. */
export function hexOf(bytes: Uint8Array): string {
  if (bytes.length === scratch.length) {
    scratch.set(bytes)
    return scratch.toString('hex')
  }
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex')
}
