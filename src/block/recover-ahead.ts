// Recovers senders before stock's code asks for them, which it does one after the other, in JavaScript,
// when it validates a block or runs it. Authority on which transactions that is done for. It only fills
// the cache that stock would fill; whatever is in doubt it leaves to stock, and it never throws.

import {
  AccessList2930Tx,
  Capability,
  FeeMarket1559Tx,
  LegacyTx,
  type TypedTransaction,
} from '@ethereumjs/tx'
import { calculateSigRecovery, SECP256K1_ORDER_DIV_2 } from '@ethereumjs/util'
import { keccak_256 } from '@noble/hashes/sha3.js'
import { type Ecrecover, PACKED_SIGNATURE, packSignature } from '../crypto/ecrecover.ts'
import { keyAt, PUBLIC_KEY, recoverAll } from '../crypto/recover-all.ts'
import { type CryptoName, loadSecp256k1 } from '../crypto/secp256k1.ts'
import { signingHash } from '../execution/transaction-rlp.ts'
import { type Keccak, loadKeccak } from '../state/keccak.ts'
import { isUnmodified } from '../state/unmodified.ts'
import type { WorkerPool } from '../workers/pool.ts'
import { TRANSACTION_CLASSES } from './eligibility.ts'

/** Fewer than this are recovered here in the time that a message to the workers takes. */
const FEWEST_FOR_WORKERS = 8
/** Those whose messages are made here, without stock's methods. */
const STOCK_CLASSES = [FeeMarket1559Tx, LegacyTx, AccessList2930Tx]

/** Recovers the senders that nobody knows yet, on the workers of `pool` where it pays. */
export async function recoverAhead(
  transactions: readonly TypedTransaction[],
  pool: WorkerPool | undefined,
): Promise<void> {
  try {
    const unknown = transactions.filter(wouldBeKept)
    if (unknown.length === 0) return
    const { asked, signatures } = packSignatures(unknown, await loadKeccak())
    const shares = pool === undefined || asked.length < FEWEST_FOR_WORKERS ? 1 : pool.size
    const keys =
      pool === undefined || shares < 2
        ? recoverAll((await loadSecp256k1()).recover, signatures)
        : await recoverShared(signatures, shares, pool)
    asked.forEach((tx, index) => {
      const key = keyAt(keys, index)
      if (key !== undefined) tx.cache.senderPubKey ??= key
    })
  } catch {
    // Stock recovers what is missing, and finds what is wrong with it.
  }
}

/** What recovers senders where stock's code does it, on this thread, or before it. */
export async function cryptoHere(transactions: readonly TypedTransaction[]): Promise<CryptoName> {
  const isCustom = transactions[0]?.common.customCrypto.ecrecover !== undefined
  return isCustom ? 'custom' : (await loadSecp256k1()).kind
}

/** Whether stock would recover the sender of `tx` with its own function, and keep it. */
function wouldBeKept(tx: TypedTransaction): boolean {
  return (
    tx.cache.senderPubKey === undefined &&
    Object.isFrozen(tx) &&
    TRANSACTION_CLASSES.has(tx.constructor) &&
    !Object.hasOwn(tx, 'getSenderPublicKey') &&
    tx.common.customCrypto.ecrecover === undefined &&
    tx.isSigned() &&
    // Allowed in Frontier only, and the hardfork may yet change.
    (tx.s as bigint) <= SECP256K1_ORDER_DIV_2
  )
}

/** The signatures in a row, and whose they are. */
function packSignatures(
  transactions: readonly TypedTransaction[],
  keccak: Keccak,
): { asked: TypedTransaction[]; signatures: Uint8Array } {
  const signatures = new Uint8Array(transactions.length * PACKED_SIGNATURE)
  const asked: TypedTransaction[] = []
  for (const tx of transactions) {
    const at = asked.length * PACKED_SIGNATURE
    if (packed(tx, keccak, signatures.subarray(at, at + PACKED_SIGNATURE))) asked.push(tx)
  }
  return { asked, signatures: signatures.subarray(0, asked.length * PACKED_SIGNATURE) }
}

/**
 * Lets stock's own code check the signature and make the message, and takes down what it would recover
 * from. It works on a stand-in, since the transaction and its Common are the user's.
 */
function packed(tx: TypedTransaction, keccak: Keccak, into: Uint8Array): boolean {
  let isPacked = false
  const hash = hashHere(tx, keccak)
  if (hash !== undefined) return packNumbers(into, hash, tx)
  const ecrecover: Ecrecover = (...signature) => {
    isPacked = packSignature(into, ...signature)
    return into
  }
  const { customCrypto } = tx.common
  const keccak256 = customCrypto.keccak256 ?? keccak
  const common = standIn(tx.common, { customCrypto: { ...customCrypto, keccak256, ecrecover } })
  const { keccakFunction } = tx as { keccakFunction?: unknown }
  const ownHash = keccakFunction === keccak_256 ? { keccakFunction: keccak } : {}
  try {
    standIn(tx, { common, ...ownHash }).getSenderPublicKey()
  } catch {
    return false
  }
  return isPacked
}

/** What the signature is over, where stock's own code would hash just that with keccak-256. */
function hashHere(tx: TypedTransaction, keccak: Keccak): Uint8Array | undefined {
  if (tx.common.customCrypto.keccak256 !== undefined) return undefined
  const itsClass = STOCK_CLASSES.find(({ prototype }) => Object.getPrototypeOf(tx) === prototype)
  if (itsClass === undefined || !isUnmodified(tx, itsClass)) return undefined
  const { keccakFunction = keccak_256 } = tx as { keccakFunction?: unknown }
  return keccakFunction === keccak_256 ? signingHash(tx, keccak) : undefined
}

/** As `packSignature`, from the transaction's own numbers. */
function packNumbers(into: Uint8Array, hash: Uint8Array, tx: TypedTransaction): boolean {
  const chainId = tx.supports(Capability.EIP155ReplayProtection) ? tx.common.chainId() : undefined
  const recovery = calculateSigRecovery(tx.v as bigint, chainId)
  if (recovery !== 0n && recovery !== 1n) return false
  into.set(hash)
  const view = new DataView(into.buffer, into.byteOffset, into.byteLength)
  for (const [at, value] of [[32, tx.r] as const, [64, tx.s] as const]) {
    let rest = value as bigint
    for (let limb = at + 24; limb >= at; limb -= 8) {
      view.setBigUint64(limb, rest)
      rest >>= 64n
    }
  }
  into[96] = Number(recovery)
  return true
}

/** `original` with other values of some properties. */
function standIn<T extends object>(original: T, values: Record<string, unknown>): T {
  const properties = Object.entries(values).map(([name, value]) => [name, { value }])
  return Object.create(original, Object.fromEntries(properties))
}

async function recoverShared(
  signatures: Uint8Array,
  shares: number,
  pool: WorkerPool,
): Promise<Uint8Array> {
  const count = signatures.length / PACKED_SIGNATURE
  const keys = new Uint8Array(count * PUBLIC_KEY)
  await Promise.all(
    Array.from({ length: shares }, async (_, share) => {
      const [from, to] = [share, share + 1].map((it) => Math.floor((it * count) / shares)) as [
        number,
        number,
      ]
      const part = signatures.slice(from * PACKED_SIGNATURE, to * PACKED_SIGNATURE)
      keys.set(await recoverPart(part, pool), from * PUBLIC_KEY)
    }),
  )
  return keys
}

/** By a worker, or here if it dies. */
async function recoverPart(signatures: Uint8Array, pool: WorkerPool): Promise<Uint8Array> {
  const report = await pool.run({ kind: 'recover', signatures }).catch(() => undefined)
  if (report?.kind === 'recovered') return report.keys
  return recoverAll((await loadSecp256k1()).recover, signatures)
}
