// Private keys from a mnemonic: BIP-39 for the seed, BIP-32 for the keys under a path.
// The authority on derivation. Does not check a mnemonic's words or checksum: any text gives accounts.

import { createECDH, createHmac, pbkdf2Sync } from 'node:crypto'

/** Order of the group of secp256k1 (SEC 2). */
const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n
const HARDENED = 0x80000000

export interface Derivation {
  readonly passphrase: string
  /** Such as `m/44'/60'/0'/0`. */
  readonly path: string
  readonly initialIndex: number
}

interface Node {
  readonly key: Buffer
  readonly chainCode: Buffer
}

/** `count` private keys from the initial index on, 32 bytes each. */
export function derivePrivateKeys(
  mnemonic: string,
  count: number,
  { passphrase, path, initialIndex }: Derivation,
): Uint8Array[] {
  const words = mnemonic.normalize('NFKD')
  const salt = `mnemonic${passphrase}`.normalize('NFKD')
  const seed = pbkdf2Sync(words, salt, 2048, 64, 'sha512')
  let node = split(createHmac('sha512', 'Bitcoin seed').update(seed).digest())
  for (const index of indicesOf(path)) node = child(node, index)
  return Array.from({ length: count }, (_, index) =>
    Uint8Array.from(child(node, initialIndex + index).key),
  )
}

function indicesOf(path: string): number[] {
  const parts = path.split('/').filter((part) => part !== 'm' && part !== '')
  return parts.map((part) => Number.parseInt(part, 10) + (part.endsWith("'") ? HARDENED : 0))
}

function child({ key, chainCode }: Node, index: number): Node {
  const isHardened = index >= HARDENED
  const data = isHardened ? Buffer.concat([Buffer.alloc(1), key]) : compressedPublicKey(key)
  const position = Buffer.alloc(4)
  position.writeUInt32BE(index)
  const digest = createHmac('sha512', chainCode).update(data).update(position).digest()
  const { key: tweak, chainCode: next } = split(digest)
  // BIP-32 skips an index whose sum is zero or whose tweak is too large: 1 in 2^127.
  const sum = (BigInt(`0x${tweak.toString('hex')}`) + BigInt(`0x${key.toString('hex')}`)) % ORDER
  return { key: Buffer.from(sum.toString(16).padStart(64, '0'), 'hex'), chainCode: next }
}

function compressedPublicKey(key: Buffer): Buffer {
  const curve = createECDH('secp256k1')
  curve.setPrivateKey(key)
  return Buffer.from(curve.getPublicKey('hex', 'compressed'), 'hex')
}

function split(digest: Buffer): Node {
  return { key: digest.subarray(0, 32), chainCode: digest.subarray(32) }
}
