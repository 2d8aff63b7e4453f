// Which library recovers public keys on the curve secp256k1: chosen once per thread, and tried before use.
// Authority on the order of choice. Must not decide which signatures are valid: what a library here
// refuses is put to ethereumjs' own code, in ecrecover.ts.

import { createRequire } from 'node:module'
import { ecrecover } from '@ethereumjs/util'

/**
 * `native`: libsecp256k1 as a Node addon. `wasm`: the same in WebAssembly, where the addon has no binary
 * for the machine. `javascript`: ethereumjs' own.
 */
export type CryptoKind = 'native' | 'wasm' | 'javascript'

/** What recovers senders: one of those, or `custom`, a `customCrypto.ecrecover` of the user's. */
export type CryptoName = CryptoKind | 'custom'

/**
 * The public key (64 bytes: x, y) that signed `hash` (32 bytes) with `signature` (64 bytes: r, s); a new
 * array each time. Throws, or returns undefined, where the library finds none.
 */
export type RecoverKey = (
  hash: Uint8Array,
  recovery: 0 | 1,
  signature: Uint8Array,
) => Uint8Array | undefined

/** A library that was chosen. */
export interface Secp256k1 {
  readonly kind: CryptoKind
  readonly recover: RecoverKey
}

/** A library that can be chosen. `load` rejects where the machine does not have it. */
export interface Secp256k1Loader {
  readonly kind: CryptoKind
  readonly load: () => Promise<RecoverKey>
}

/** The fastest first. Measured: 70, 180 and 1,700 microseconds a signature. */
export const SECP256K1_LOADERS: readonly Secp256k1Loader[] = [
  { kind: 'native', load: loadNative },
  { kind: 'wasm', load: loadWasm },
]

let loaded: Promise<Secp256k1> | undefined

/** The library of this thread; never rejects. */
export function loadSecp256k1(): Promise<Secp256k1> {
  loaded ??= chooseSecp256k1(SECP256K1_LOADERS)
  return loaded
}

/** What recovers senders in this thread, chosen at the first call: for whoever reports measurements. */
export async function cryptoKind(): Promise<CryptoKind> {
  return (await loadSecp256k1()).kind
}

/** The first of `loaders` that loads and gives the right key for a known signature. */
export async function chooseSecp256k1(loaders: readonly Secp256k1Loader[]): Promise<Secp256k1> {
  for (const { kind, load } of loaders) {
    try {
      const recover = await load()
      if (knowsTheAnswer(recover)) return { kind, recover }
    } catch {
      // Not on this machine; the report names what was chosen instead.
    }
  }
  return { kind: 'javascript', recover: recoverInJavaScript }
}

async function loadNative(): Promise<RecoverKey> {
  // The package's root would silently fall back to a library slower than ethereumjs' own.
  const { ecdsaRecover } = createRequire(import.meta.url)('secp256k1/bindings') as {
    ecdsaRecover(
      signature: Uint8Array,
      recovery: number,
      hash: Uint8Array,
      isCompressed: boolean,
    ): Uint8Array
  }
  return (hash, recovery, signature) =>
    withoutPrefix(ecdsaRecover(signature, recovery, hash, false))
}

async function loadWasm(): Promise<RecoverKey> {
  // 5 MB that take half a second to load, so only where they are needed.
  const { instantiateSecp256k1 } = await import('@bitauth/libauth')
  const { recoverPublicKeyUncompressed } = await instantiateSecp256k1()
  return (hash, recovery, signature) => {
    const key = recoverPublicKeyUncompressed(signature, recovery, hash)
    return typeof key === 'string' ? undefined : withoutPrefix(key)
  }
}

const recoverInJavaScript: RecoverKey = (hash, recovery, signature) =>
  ecrecover(hash, BigInt(recovery), signature.subarray(0, 32), signature.subarray(32))

/** Uncompressed keys begin with a 4. */
function withoutPrefix(key: Uint8Array): Uint8Array {
  const bare = new Uint8Array(64)
  bare.set(key.subarray(1))
  return bare
}

/** A signature and its key: a broken build must show before a block depends on it. */
const KNOWN = {
  hash: '456e9aea5e197a1f1af7a3e85a3212fa4049a3ba34c2289b4c860fc0b0c64ef3',
  recovery: 1,
  signature:
    '9242685bf161793cc25603c231bc2f568eb630ea16aa137d2664ac80388256084f8ae3bd7535248d0bd448298cc2e2071e56992d0774dc340c368ae950852ada',
  key: 'f57c1d4c961024e998eaec4b6bebec90e788ef5ade22e636ce76111b60db107d4c3404b9908a2f357c84ccb48cf412be41d09574a9291c9c7eb5173ccf2a339f',
} as const

function knowsTheAnswer(recover: RecoverKey): boolean {
  const key = recover(bytesOf(KNOWN.hash), KNOWN.recovery, bytesOf(KNOWN.signature))
  return key !== undefined && Buffer.from(key).equals(bytesOf(KNOWN.key))
}

function bytesOf(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex, 'hex'))
}
