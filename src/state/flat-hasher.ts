// Encodes and hashes the nodes of a flat state's tries, each stale one once (Yellow Paper, appendices B, D).
// Authority on references, and on the RLP of nodes. Changes nothing but references and, of headers, their
// length and whether they are stale. Works on any thread, and on several at once below different nodes.

import { KECCAK256_NULL, KECCAK256_RLP } from '@ethereumjs/util'
import {
  FLAT_ACCOUNT,
  FLAT_BITS,
  FLAT_BRANCH,
  FLAT_CODE,
  FLAT_NODE,
  FLAT_SLOT,
} from '../memory/flat-layout.ts'
import type { SharedRegion } from '../memory/shared-region.ts'
import { anyLeaf, depthOf, KEY_NIBBLES, nibbleOf } from './flat-trie.ts'
import type { Keccak } from './keccak.ts'
import { HASH_LENGTH } from './trie-node.ts'

const { BRANCH, SLOT, STALE, LENGTH_SHIFT, LENGTH_MASK } = FLAT_BITS
const STRING = 0x80
const LIST = 0xc0
/** More than any node takes: a branch has 16 hashes, and headers. */
const SCRATCH = 640

export class FlatHasher {
  readonly #region: SharedRegion
  readonly #keccak: Keccak
  /** Filled from its end towards its start, so that lengths are known when headers are written. */
  readonly #scratch = new Uint8Array(SCRATCH)
  #at = SCRATCH

  constructor(region: SharedRegion, keccak: Keccak) {
    this.#region = region
    this.#keccak = keccak
  }

  /** The root of the trie with this top node; brings all references below up to date. */
  root(top: number): Uint8Array {
    if (top === 0) return KECCAK256_RLP
    this.refresh(top, 0)
    const { words, bytes } = this.#region
    const length = (words[top] & LENGTH_MASK) >>> LENGTH_SHIFT
    const at = (top + FLAT_NODE.REFERENCE) * 4
    const reference = bytes.slice(at, at + length)
    // The root is a hash however short its node is.
    return length === HASH_LENGTH ? reference : this.#keccak(reference)
  }

  /**
   * Brings the references of `node`, which `depth` nibbles lead to, and of all below up to date; the storage
   * trie of an account is below its leaf.
   */
  refresh(node: number, depth: number): void {
    const { words, bytes } = this.#region
    const header = words[node]
    if ((header & STALE) === 0) return
    if ((header & BRANCH) !== 0) this.#refreshChildren(node)
    else if ((header & SLOT) === 0) this.refreshStorage(node)
    const encoded = this.encode(node, depth)
    const at = (node + FLAT_NODE.REFERENCE) * 4
    const reference = encoded.length < HASH_LENGTH ? encoded : this.#keccak(encoded)
    bytes.set(reference, at)
    // Last, and atomically: whoever loads a header that is not stale finds the new reference.
    const fresh = (header & ~(STALE | LENGTH_MASK)) | (reference.length << LENGTH_SHIFT)
    Atomics.store(words, node, fresh)
  }

  /** The same for the storage trie of an account. */
  refreshStorage(account: number): void {
    const top = this.#region.words[account + FLAT_ACCOUNT.STORAGE]
    if (top !== 0) this.refresh(top, 0)
  }

  /**
   * The RLP of a node whose children are up to date; where an extension leads to it, that of the
   * extension. Good until the next call.
   */
  encode(node: number, depth: number): Uint8Array {
    const { words } = this.#region
    this.#at = SCRATCH
    if ((words[node] & BRANCH) === 0) {
      this.#writeLeaf(node, depth)
    } else {
      this.#writeBranch(node)
      const below = depthOf(words, node)
      if (below > depth) this.#writeExtension(node, depth, below)
    }
    return this.#scratch.subarray(this.#at)
  }

  /** The RLP of a branch without the extension that leads to it. Good until the next call. */
  encodeBranch(node: number): Uint8Array {
    this.#at = SCRATCH
    this.#writeBranch(node)
    return this.#scratch.subarray(this.#at)
  }

  /** The RLP of what a leaf holds. Good until the next call. */
  encodeValue(leaf: number): Uint8Array {
    this.#at = SCRATCH
    this.#writeValue(leaf)
    return this.#scratch.subarray(this.#at)
  }

  #refreshChildren(branch: number): void {
    const { words } = this.#region
    const depth = depthOf(words, branch) + 1
    for (let at = branch + FLAT_BRANCH.CHILDREN; at < branch + FLAT_BRANCH.WORDS; at++) {
      const child = words[at]
      if (child !== 0 && (words[child] & STALE) !== 0) this.refresh(child, depth)
    }
  }

  #writeBranch(branch: number): void {
    const { words, bytes } = this.#region
    const scratch = this.#scratch
    scratch[--this.#at] = STRING
    for (let nibble = 15; nibble >= 0; nibble--) {
      const child = words[branch + FLAT_BRANCH.CHILDREN + nibble]
      if (child === 0) {
        scratch[--this.#at] = STRING
        continue
      }
      const length = (words[child] & LENGTH_MASK) >>> LENGTH_SHIFT
      this.#copy(bytes, (child + FLAT_NODE.REFERENCE) * 4, length)
      if (length === HASH_LENGTH) scratch[--this.#at] = STRING + HASH_LENGTH
    }
    this.#writeHeader(LIST, SCRATCH - this.#at)
  }

  /** Wraps what was written, a branch, into the extension that leads to it. */
  #writeExtension(branch: number, from: number, to: number): void {
    const { words, bytes } = this.#region
    const length = SCRATCH - this.#at
    if (length >= HASH_LENGTH) {
      const hash = this.#keccak(this.#scratch.subarray(this.#at))
      this.#at = SCRATCH
      this.#copy(hash, 0, HASH_LENGTH)
      this.#writeHeader(STRING, HASH_LENGTH)
    }
    const leaf = anyLeaf(words, branch)
    const end = this.#at
    let depth = to
    for (; depth - from >= 2; depth -= 2) {
      const high = nibbleOf(bytes, leaf, depth - 2)
      this.#scratch[--this.#at] = (high << 4) | nibbleOf(bytes, leaf, depth - 1)
    }
    this.#scratch[--this.#at] = depth === from ? 0 : 0x10 | nibbleOf(bytes, leaf, from)
    // The first byte of a path is below 0x80, so alone it is its own RLP.
    if (end - this.#at > 1) this.#writeHeader(STRING, end - this.#at)
    this.#writeHeader(LIST, SCRATCH - this.#at)
  }

  #writeLeaf(leaf: number, depth: number): void {
    const { bytes } = this.#region
    const scratch = this.#scratch
    this.#writeValue(leaf)
    const length = SCRATCH - this.#at
    if (length > 1 || scratch[this.#at] >= STRING) this.#writeHeader(STRING, length)
    // The rest of a path of odd length begins at a whole byte of the key.
    const whole = (KEY_NIBBLES - depth) >> 1
    this.#copy(bytes, (leaf + FLAT_SLOT.KEY_HASH) * 4 + HASH_LENGTH - whole, whole)
    scratch[--this.#at] = (depth & 1) === 0 ? 0x20 : 0x30 | nibbleOf(bytes, leaf, depth)
    if (whole > 0) this.#writeHeader(STRING, whole + 1)
    this.#writeHeader(LIST, SCRATCH - this.#at)
  }

  #writeValue(leaf: number): void {
    const { words, bytes } = this.#region
    if ((words[leaf] & SLOT) !== 0) {
      this.#writeStripped(bytes, (leaf + FLAT_SLOT.VALUE) * 4, HASH_LENGTH)
      return
    }
    const start = this.#at
    const code = words[leaf + FLAT_ACCOUNT.CODE]
    if (code === 0) this.#copy(KECCAK256_NULL, 0, HASH_LENGTH)
    else this.#copy(bytes, (code + FLAT_CODE.HASH) * 4, HASH_LENGTH)
    this.#writeHeader(STRING, HASH_LENGTH)
    const storage = words[leaf + FLAT_ACCOUNT.STORAGE]
    // Keys of 32 bytes make every top node at least as long as a hash.
    if (storage === 0) this.#copy(KECCAK256_RLP, 0, HASH_LENGTH)
    else this.#copy(bytes, (storage + FLAT_NODE.REFERENCE) * 4, HASH_LENGTH)
    this.#writeHeader(STRING, HASH_LENGTH)
    this.#writeNumber(words, leaf + FLAT_ACCOUNT.BALANCE, 8)
    this.#writeNumber(words, leaf + FLAT_ACCOUNT.NONCE, 2)
    this.#writeHeader(LIST, start - this.#at)
  }

  /** A number in words, least significant first, as a string without leading zeros. */
  #writeNumber(words: Int32Array, at: number, count: number): void {
    const end = this.#at
    let used = count
    while (used > 0 && words[at + used - 1] === 0) used--
    for (let i = 0; i < used; i++) {
      let rest = words[at + i]
      const bytes = i === used - 1 ? (39 - Math.clz32(rest)) >> 3 : 4
      for (let j = 0; j < bytes; j++) {
        this.#scratch[--this.#at] = rest & 0xff
        rest >>>= 8
      }
    }
    const length = end - this.#at
    if (length !== 1 || this.#scratch[this.#at] >= STRING) this.#writeHeader(STRING, length)
  }

  /** Bytes as a string without leading zeros. */
  #writeStripped(bytes: Uint8Array, from: number, length: number): void {
    let at = from
    const end = from + length
    while (at < end && bytes[at] === 0) at++
    this.#copy(bytes, at, end - at)
    if (end - at !== 1 || bytes[at] >= STRING) this.#writeHeader(STRING, end - at)
  }

  #writeHeader(base: number, length: number): void {
    const scratch = this.#scratch
    if (length < 56) {
      scratch[--this.#at] = base + length
      return
    }
    let lengthBytes = 0
    for (let rest = length; rest > 0; rest >>>= 8) {
      scratch[--this.#at] = rest & 0xff
      lengthBytes++
    }
    scratch[--this.#at] = base + 55 + lengthBytes
  }

  #copy(bytes: Uint8Array, from: number, length: number): void {
    const scratch = this.#scratch
    const to = this.#at - length
    for (let i = 0; i < length; i++) scratch[to + i] = bytes[from + i]
    this.#at = to
  }
}
