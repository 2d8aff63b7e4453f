// ethereumjs' `ecrecover` with another library in its place. Authority on which calls the library gets:
// those whose arguments leave no doubt. Everything that it refuses, and all else, is decided by
// ethereumjs' own function, error included.

import { calculateSigRecovery, ecrecover } from '@ethereumjs/util'
import type { RecoverKey, Secp256k1 } from './secp256k1.ts'

/** As `customCrypto.ecrecover` of a Common has it. */
export type Ecrecover = (
  hash: Uint8Array,
  v: bigint,
  r: Uint8Array,
  s: Uint8Array,
  chainId?: bigint,
) => Uint8Array

/** Bytes of a packed signature: hash, r, s, recovery id. */
export const PACKED_SIGNATURE = 97
const RECOVERY = 96

/** For a Common's `customCrypto`; undefined where ethereumjs' own is what was chosen. */
export function customEcrecover({ kind, recover }: Secp256k1): Ecrecover | undefined {
  return kind === 'javascript' ? undefined : ecrecoverBy(recover)
}

/** `ecrecover` of ethereumjs, to the bit and to the error, by `recover` where that finds a key. */
export function ecrecoverBy(recover: RecoverKey): Ecrecover {
  const packed = new Uint8Array(PACKED_SIGNATURE)
  return (hash, v, r, s, chainId) => {
    const key = packSignature(packed, hash, v, r, s, chainId)
      ? recoverPacked(recover, packed)
      : undefined
    return key ?? ecrecover(hash, v, r, s, chainId)
  }
}

/**
 * Writes what `ecrecover` is given into {@link PACKED_SIGNATURE} bytes.
 * @returns false where only ethereumjs can say what it means; `packed` is void then.
 */
export function packSignature(
  packed: Uint8Array,
  ...[hash, v, r, s, chainId]: Parameters<Ecrecover>
): boolean {
  if (!isBytes(hash) || !isBytes(r) || !isBytes(s) || typeof v !== 'bigint') return false
  if (hash.length !== 32 || r.length > 32 || s.length > 32) return false
  if (chainId !== undefined && typeof chainId !== 'bigint') return false
  const recovery = calculateSigRecovery(v, chainId)
  if (recovery !== 0n && recovery !== 1n) return false
  packed.fill(0, 32, RECOVERY)
  packed.set(hash, 0)
  packed.set(r, 64 - r.length)
  packed.set(s, RECOVERY - s.length)
  packed[RECOVERY] = Number(recovery)
  return true
}

/** The public key (64 bytes) of a packed signature; undefined where `recover` finds none. */
export function recoverPacked(recover: RecoverKey, packed: Uint8Array): Uint8Array | undefined {
  try {
    // Copies: what is handed to a native library must not lie in shared memory.
    return recover(packed.slice(0, 32), packed[RECOVERY] as 0 | 1, packed.slice(32, RECOVERY))
  } catch {
    return undefined
  }
}

function isBytes(value: unknown): value is Uint8Array {
  return value instanceof Uint8Array
}
