// Looks into the tries of a flat state: what they have in the order of their keys, and proofs.
// Authority on neither shape nor encoding. The tries must be up to date; changes nothing.

import type { Proof, StorageDump, StorageProof, StorageRange } from '@ethereumjs/common'
import {
  type Address,
  bigIntToHex,
  bytesToHex,
  EthereumJSErrorWithoutCode,
  KECCAK256_NULL_S,
  KECCAK256_RLP_S,
} from '@ethereumjs/util'
import { FLAT_ACCOUNT, FLAT_BITS, FLAT_BRANCH, FLAT_SLOT } from '../memory/flat-layout.ts'
import type { FlatData } from './flat-data.ts'
import { anyLeaf, depthOf, KEY_NIBBLES, leavesBelow, nibbleOf } from './flat-trie.ts'
import { toNibbles } from './nibbles.ts'

const { BRANCH } = FLAT_BITS
const { CHILDREN } = FLAT_BRANCH

/** What `dumpStorage` of stock's managers gives. */
export function dumpStorage(data: FlatData, address: Address): StorageDump {
  const dump: StorageDump = {}
  for (const leaf of leavesBelow(
    data.region.words,
    storageTop(data, address, 'dumpStorage f() can only be called for an existing account'),
  )) {
    dump[keyOf(data, leaf)] = bytesToHex(data.tries.hasher.encodeValue(leaf))
  }
  return dump
}

/** What `dumpStorageRange` of stock's managers gives, save that `nextKey` is the next, where stock names the last. */
export function dumpStorageRange(
  data: FlatData,
  address: Address,
  startKey: bigint,
  limit: number,
): StorageRange {
  const storage: StorageRange['storage'] = Object.create(null)
  let count = 0
  for (const leaf of leavesBelow(
    data.region.words,
    storageTop(data, address, 'Account does not exist.'),
  )) {
    const key = keyOf(data, leaf)
    if (BigInt(key) < startKey) continue
    if (count === limit) return { storage, nextKey: key }
    storage[key] = { key: null, value: bytesToHex(data.tries.hasher.encodeValue(leaf)) }
    count++
  }
  return { storage, nextKey: null }
}

/** What stock's `getMerkleStateProof` gives: an EIP-1186 proof. */
export function prove(data: FlatData, address: Address, keys: readonly Uint8Array[]): Proof {
  const fields = data.account(address.bytes)
  const proof = {
    address: address.toString(),
    accountProof: pathTo(data, data.tries.top, address.bytes),
  }
  if (fields === undefined) {
    return {
      ...proof,
      balance: '0x0',
      nonce: '0x0',
      codeHash: KECCAK256_NULL_S,
      storageHash: KECCAK256_RLP_S,
      storageProof: [],
    }
  }
  const top = storageTop(data, address, '')
  const storageProof = keys.map((key): StorageProof => {
    const value = bytesToHex(data.slot(address.bytes, key))
    return {
      key: bytesToHex(key),
      proof: pathTo(data, top, key),
      value: value === '0x' ? '0x0' : value,
    }
  })
  return {
    ...proof,
    balance: bigIntToHex(fields.balance),
    nonce: bigIntToHex(fields.nonce),
    codeHash: bytesToHex(fields.codeHash),
    storageHash: bytesToHex(fields.storageRoot),
    storageProof,
  }
}

function storageTop(data: FlatData, address: Address, ifAbsent: string): number {
  const record = data.table.findAccount(address.bytes)
  const { words } = data.region
  if (record === 0 || (words[record] & FLAT_BITS.EXISTS) === 0) {
    throw EthereumJSErrorWithoutCode(ifAbsent)
  }
  return words[record + FLAT_ACCOUNT.STORAGE]
}

function keyOf(data: FlatData, leaf: number): `0x${string}` {
  const at = (leaf + FLAT_SLOT.KEY_HASH) * 4
  return bytesToHex(data.region.bytes.slice(at, at + 32))
}

/** The RLP of the nodes on the way to a key, as far as it goes. */
function pathTo(data: FlatData, top: number, key: Uint8Array): `0x${string}`[] {
  const { words, bytes } = data.region
  const { hasher } = data.tries
  const path = toNibbles(data.keccak(key))
  const proof: `0x${string}`[] = []
  let depth = 0
  for (let node = top; node !== 0; ) {
    const isBranch = (words[node] & BRANCH) !== 0
    const end = isBranch ? depthOf(words, node) : KEY_NIBBLES
    const leaf = anyLeaf(words, node)
    let common = depth
    while (common < end && nibbleOf(bytes, leaf, common) === path[common]) common++
    if (!isBranch || end > depth) proof.push(bytesToHex(hasher.encode(node, depth)))
    if (!isBranch || common < end) break
    proof.push(bytesToHex(hasher.encodeBranch(node)))
    node = words[node + CHILDREN + path[end]]
    depth = end + 1
  }
  return proof
}
