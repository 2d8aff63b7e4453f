// Trie nodes from RLP and to RLP (Yellow Paper, appendices B and D).
// Authority on the bytes of a node. Must not change a node that it is given; what it decodes shares
// memory with the bytes it was given, which therefore must not change either.

import { internalError, ParallelError } from '../errors.ts'
import type { Allocate } from './allocate.ts'
import { compactLength, readCompact, writeCompact } from './nibbles.ts'
import {
  type Branch,
  HASH_LENGTH,
  isReference,
  type Node,
  offsetOf,
  type Reference,
  type StoredBranch,
} from './trie-node.ts'

const EMPTY_ITEM = 0x80
/** The header of a hash. */
const HASH_ITEM = EMPTY_ITEM + HASH_LENGTH

/**
 * Decodes the node that a parent holds as `reference`.
 *
 * @throws ParallelError `BROKEN_TRIE` if the bytes are no node.
 */
export function decodeNode(rlp: Uint8Array, reference: Reference): Node {
  if (rlp.length === 0 || rlp[0] < 0xc0) throw brokenNode()
  const start = payloadStart(rlp, 0)
  if (itemEnd(rlp, 0) !== rlp.length) throw brokenNode()
  const first = itemEnd(rlp, start)
  const second = first < rlp.length ? itemEnd(rlp, first) : rlp.length + 1
  if (second === rlp.length) return decodeShortNode(rlp, start, first, reference)

  const stored = decodeBranch(rlp)
  const { occupied } = stored
  const children = unchangedChildren()
  return { kind: 'branch', stored, children, occupied, changed: 0, reference }
}

/** Finds the children in the RLP of a branch. */
export function decodeBranch(rlp: Uint8Array): StoredBranch {
  const start = payloadStart(rlp, 0)
  let occupied = 0
  let at = start
  let offsets: number[] | undefined
  for (let nibble = 0; nibble < 16; nibble++) {
    if (at >= rlp.length) throw brokenNode()
    offsets?.push(at)
    const head = rlp[at]
    if (head === EMPTY_ITEM) {
      at++
      continue
    }
    occupied |= 1 << nibble
    if (head !== HASH_ITEM && offsets === undefined) {
      const before = { rlp, start, occupied, offsets }
      offsets = Array.from({ length: nibble + 1 }, (_, i) => offsetOf(before, i))
    }
    at = itemEnd(rlp, at)
  }
  offsets?.push(at)
  if (at >= rlp.length || itemEnd(rlp, at) !== rlp.length) throw brokenNode()
  if (rlp[at] !== EMPTY_ITEM) {
    throw brokenTrie('a branch of a trie holds a value, though all its keys are of one length')
  }
  return { rlp, start, occupied, offsets }
}

/** 16 times `undefined`; written out, since that is the fastest way to make it. */
function unchangedChildren(): undefined[] {
  const u = undefined
  return [u, u, u, u, u, u, u, u, u, u, u, u, u, u, u, u]
}

function decodeShortNode(
  rlp: Uint8Array,
  start: number,
  middle: number,
  reference: Reference,
): Node {
  const path = payloadStart(rlp, start)
  if (path >= middle) throw brokenNode()
  const nibbles = readCompact(rlp, path, middle)
  const isList = rlp[middle] >= 0xc0
  // A node within its parent is a list, and kept whole; hash and value are strings.
  const content = rlp.subarray(isList ? middle : payloadStart(rlp, middle), rlp.length)
  if ((rlp[path] & 0x20) === 0) {
    return { kind: 'extension', path: nibbles, child: content, reference }
  }
  if (isList) throw brokenNode()
  return { kind: 'leaf', path: nibbles, value: content, reference }
}

/** The RLP of a node, all of whose children are clean, in bytes from `allocate`. */
export function encodeNode(node: Node, allocate: Allocate): Uint8Array {
  if (node.kind === 'branch') return encodeBranch(node, allocate)
  const isLeaf = node.kind === 'leaf'
  const content = isLeaf ? node.value : referenceOf(node.child)
  const pathLength = compactLength(node.path)
  // The first byte of a compact path is below 0x80, so alone it is its own RLP.
  const pathSize = pathLength === 1 ? 1 : pathLength + 1
  const isInline = !isLeaf && content.length < HASH_LENGTH
  const contentSize = isInline ? content.length : stringSize(content)
  const size = pathSize + contentSize
  const rlp = allocate(headerSize(size) + size)
  let at = writeHeader(rlp, 0, 0xc0, size)
  if (pathLength > 1) at = writeHeader(rlp, at, EMPTY_ITEM, pathLength)
  at = writeCompact(node.path, isLeaf, rlp, at)
  if (contentSize > content.length) at = writeHeader(rlp, at, EMPTY_ITEM, content.length)
  rlp.set(content, at)
  return rlp
}

function encodeBranch(branch: Branch, allocate: Allocate): Uint8Array {
  const { stored, children, occupied } = branch
  // Mostly children change their hashes and nothing else: a copy with some bytes replaced.
  if (stored !== undefined && stored.offsets === undefined && stored.occupied === occupied) {
    const copy = encodeInPlace(stored, branch, allocate)
    if (copy !== undefined) return copy
  }
  let size = 1
  for (let nibble = 0; nibble < 16; nibble++) {
    const child = children[nibble]
    if (child === undefined) size += offsetOf(stored!, nibble + 1) - offsetOf(stored!, nibble)
    else if (child === null) size++
    else size += referenceSize(referenceOf(child))
  }
  const rlp = allocate(headerSize(size) + size)
  let at = writeHeader(rlp, 0, 0xc0, size)
  for (let nibble = 0; nibble < 16; nibble++) {
    const child = children[nibble]
    if (child === undefined) {
      // Neighbours that are as they were are copied in one piece.
      const start = nibble
      while (nibble < 15 && children[nibble + 1] === undefined) nibble++
      const bytes = stored!.rlp.subarray(offsetOf(stored!, start), offsetOf(stored!, nibble + 1))
      rlp.set(bytes, at)
      at += bytes.length
    } else if (child === null) {
      rlp[at++] = EMPTY_ITEM
    } else {
      const reference = referenceOf(child)
      if (reference.length === HASH_LENGTH) rlp[at++] = HASH_ITEM
      rlp.set(reference, at)
      at += reference.length
    }
  }
  rlp[at] = EMPTY_ITEM
  return rlp
}

/** What was stored with other hashes; nothing if a child has become too short to have one. */
function encodeInPlace(
  stored: StoredBranch,
  { children, changed }: Branch,
  allocate: Allocate,
): Uint8Array | undefined {
  const rlp = allocate(stored.rlp.length)
  rlp.set(stored.rlp)
  for (let nibble = 0; nibble < 16; nibble++) {
    const child = children[nibble]
    if ((changed & (1 << nibble)) === 0 || child === undefined || child === null) continue
    const reference = referenceOf(child)
    if (reference.length !== HASH_LENGTH) return undefined
    rlp.set(reference, offsetOf(stored, nibble) + 1)
  }
  return rlp
}

function referenceOf(child: Node | Reference): Reference {
  const reference = isReference(child) ? child : child.reference
  if (reference === undefined) throw internalError('a node is encoded before its child')
  return reference
}

function referenceSize(reference: Reference): number {
  return reference.length === HASH_LENGTH ? HASH_LENGTH + 1 : reference.length
}

function stringSize(bytes: Uint8Array): number {
  if (bytes.length === 1 && bytes[0] < EMPTY_ITEM) return 1
  return headerSize(bytes.length) + bytes.length
}

function headerSize(length: number): number {
  if (length < 56) return 1
  return length < 0x100 ? 2 : length < 0x10000 ? 3 : length < 0x1000000 ? 4 : 5
}

/** Writes the header of a string (`base` 0x80) or list (0xc0) of `length` bytes; returns its end. */
function writeHeader(rlp: Uint8Array, at: number, base: number, length: number): number {
  if (length < 56) {
    rlp[at] = base + length
    return at + 1
  }
  const lengthBytes = headerSize(length) - 1
  rlp[at] = base + 55 + lengthBytes
  for (let i = 0; i < lengthBytes; i++) {
    rlp[at + 1 + i] = length >>> (8 * (lengthBytes - 1 - i))
  }
  return at + 1 + lengthBytes
}

/** Where the content of the item at `at` starts; for a single byte, at itself. */
function payloadStart(rlp: Uint8Array, at: number): number {
  const head = rlp[at]
  if (head < 0x80) return at
  if (head >= 0xf8) return at + 1 + head - 0xf7
  return head >= 0xb8 && head < 0xc0 ? at + 1 + head - 0xb7 : at + 1
}

function itemEnd(rlp: Uint8Array, at: number): number {
  const head = rlp[at]
  if (head < 0x80) return at + 1
  if (head < 0xb8) return at + 1 + head - 0x80
  if (head >= 0xc0 && head < 0xf8) return at + 1 + head - 0xc0
  const start = payloadStart(rlp, at)
  let length = 0
  for (let i = at + 1; i < start; i++) length = length * 256 + rlp[i]
  return start + length
}

function brokenNode(): ParallelError {
  return brokenTrie('the database of a trie holds bytes that are no node')
}

export function brokenTrie(message: string): ParallelError {
  return new ParallelError('BROKEN_TRIE', message)
}
