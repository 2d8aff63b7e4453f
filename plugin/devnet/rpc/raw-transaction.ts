// Reads signed transactions as clients send them: as blocks have them, or with the blobs that the network
// passes on beside them (EIP-4844, EIP-7594). The authority on what is refused before a sender is known.
// What it returns has no blobs: nobody asks a devnet for them.

import { RLP } from '@ethereumjs/rlp'
import { createTxFromRLP, type TypedTransaction } from '@ethereumjs/tx'
import { sha256 } from '@noble/hashes/sha2.js'
import type { DevnetCore } from '../core.ts'
import { bytesOf, type Hex, hexOf } from '../hex.ts'
import { invalidInput, invalidParams } from '../rpc-error.ts'

const BLOB_TYPE = 3
const NEWEST_TYPE = 4
/** EIP-7594: proofs of a blob, one for each cell. */
const PROOFS_OF_BLOB = 128
const COMMITMENT_VERSION = 1

/** @throws RpcError for anything but a signed transaction for this chain */
export function parseRawTransaction(core: DevnetCore, raw: Hex): TypedTransaction {
  const bytes = bytesOf(raw)
  if (bytes.length === 0) throw invalidParams('Invalid params: the transaction is empty')
  const first = bytes[0] as number
  if (first < 0xc0 && (first === 0 || first > NEWEST_TYPE)) {
    throw invalidParams(`Invalid transaction type ${first}.`)
  }
  if (first !== BLOB_TYPE) return parse(core, bytes)
  const { transaction, sidecar } = splitBlobs(bytes)
  const tx = parse(core, transaction)
  if (sidecar !== undefined) checkBlobs(core, tx, sidecar)
  return tx
}

function parse({ rules, options }: DevnetCore, bytes: Uint8Array): TypedTransaction {
  try {
    return createTxFromRLP(bytes, {
      common: rules.common,
      allowUnlimitedInitCodeSize: rules.allowUnlimitedContractSize,
    }) as TypedTransaction
  } catch (error) {
    const message = messageOf(error)
    if (!/chain ?id/i.test(message)) throw invalidParams(`Invalid transaction: ${message}`)
    if ((bytes[0] as number) >= 0xc0) {
      throw invalidParams(
        'Trying to send an incompatible EIP-155 transaction, signed for another chain.',
      )
    }
    throw invalidInput(
      `Trying to send a raw transaction with an invalid chainId. The expected chainId is ${options.chainId}`,
    )
  }
}

/** What the network passes on beside a transaction. */
interface Sidecar {
  /** Proofs are of cells (EIP-7594), not of whole blobs. */
  readonly hasCells: boolean
  readonly blobs: readonly Hex[]
  readonly commitments: readonly Hex[]
  readonly proofs: readonly Hex[]
}

function splitBlobs(bytes: Uint8Array): { transaction: Uint8Array; sidecar?: Sidecar } {
  const parts = decode(bytes.subarray(1))
  const [inner] = parts
  if (!Array.isArray(inner)) return { transaction: bytes }
  const lists = parts.slice(-3).map(listOfHex)
  const hasCells = parts.length === 5
  const isKnown = hasCells ? hexOf(parts[1] as Uint8Array) === '0x01' : parts.length === 4
  const [blobs, commitments, proofs] = lists
  if (!isKnown || blobs === undefined || commitments === undefined || proofs === undefined) {
    throw invalidParams('Invalid transaction: its blobs are in no form that is known')
  }
  const transaction = Uint8Array.from([BLOB_TYPE, ...RLP.encode(inner)])
  return { transaction, sidecar: { hasCells, blobs, commitments, proofs } }
}

type Decoded = Uint8Array | Decoded[]

function decode(bytes: Uint8Array): Decoded[] {
  let decoded: Decoded
  try {
    decoded = RLP.decode(bytes) as Decoded
  } catch (error) {
    throw invalidParams(`Invalid transaction: ${messageOf(error)}`)
  }
  if (Array.isArray(decoded)) return decoded
  throw invalidParams('Invalid transaction: it must be a list')
}

function listOfHex(part: Decoded): Hex[] | undefined {
  if (!Array.isArray(part)) return undefined
  const items = part.filter((item) => item instanceof Uint8Array)
  return items.length === part.length ? items.map(hexOf) : undefined
}

function checkBlobs({ rules }: DevnetCore, tx: TypedTransaction, sidecar: Sidecar): void {
  const hashes = 'blobVersionedHashes' in tx ? (tx.blobVersionedHashes as readonly Hex[]) : []
  const { hasCells, blobs, commitments, proofs } = sidecar
  const proofsWanted = hashes.length * (hasCells ? PROOFS_OF_BLOB : 1)
  const isWhole = blobs.length === hashes.length && commitments.length === hashes.length
  if (!isWhole || proofs.length !== proofsWanted) {
    throw invalidParams(
      'Invalid transaction: it has not one commitment and its proofs for each blob',
    )
  }
  if (commitments.some((commitment, index) => versionedHash(commitment) !== hashes[index])) {
    throw invalidParams('Invalid transaction: a versioned hash is not that of its commitment')
  }
  // Cells need a larger part of the trusted setup than a devnet has.
  if (hasCells) return
  if (!verifies(rules.common.customCrypto.kzg, { blobs, commitments, proofs })) {
    throw invalidParams('Invalid transaction: a proof is not that of its blob')
  }
}

type Verifier = Pick<
  NonNullable<DevnetCore['rules']['common']['customCrypto']['kzg']>,
  'verifyBlobProofBatch'
>

function verifies(
  kzg: Verifier | undefined,
  { blobs, commitments, proofs }: Omit<Sidecar, 'hasCells'>,
): boolean {
  try {
    return kzg?.verifyBlobProofBatch([...blobs], [...commitments], [...proofs]) === true
  } catch {
    // Not even points of the curve, or blobs of another length.
    return false
  }
}

function versionedHash(commitment: Hex): Hex {
  const hash = sha256(bytesOf(commitment))
  hash[0] = COMMITMENT_VERSION
  return hexOf(hash)
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
