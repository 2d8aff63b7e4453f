// The nodes of a Merkle Patricia trie in memory, as they were stored or as they will be.
// Authority on what is clean: a node that has a reference is stored as it is, and what it stands for never
// changes; all that may happen to it is that a child takes the place of its reference when it is loaded.
// Nodes without one belong to the update that made them. Must not read or write databases.

import { equalsBytes, KECCAK256_RLP } from '@ethereumjs/util'

/**
 * How a parent holds a child: the 32 bytes of its hash or, where a child's RLP is shorter than 32 bytes,
 * that RLP itself.
 */
export type Reference = Uint8Array

export interface Leaf {
  readonly kind: 'leaf'
  readonly path: Uint8Array
  readonly value: Uint8Array
  reference: Reference | undefined
}

export interface Extension {
  readonly kind: 'extension'
  readonly path: Uint8Array
  child: Node | Reference
  reference: Reference | undefined
}

export interface Branch {
  readonly kind: 'branch'
  /** What is stored, or was before the changes: children that are `undefined` are as they are there. */
  stored: StoredBranch | undefined
  /** 16 of them; `null` where there is none. */
  readonly children: (Node | Reference | null | undefined)[]
  /** A bit for each child that there is. */
  occupied: number
  /** A bit for each child that differs from what is stored. */
  changed: number
  reference: Reference | undefined
}

export type Node = Leaf | Extension | Branch

/** The RLP of a branch, and where its items are in it. */
export interface StoredBranch {
  readonly rlp: Uint8Array
  /** Where the first child begins. */
  readonly start: number
  /** A bit for each child that there is. */
  readonly occupied: number
  /** Where each child begins and the last one ends; only if some child lies within, which is rare. */
  readonly offsets: readonly number[] | undefined
}

export const HASH_LENGTH = 32

/** keccak-256 of the RLP of nothing: the root of the trie without entries. */
export const EMPTY_ROOT: Uint8Array = KECCAK256_RLP

/** Whether a root is that of the empty trie. */
export function isEmptyRoot(root: Uint8Array): boolean {
  return equalsBytes(root, EMPTY_ROOT)
}

export function newBranch(): Branch {
  return {
    kind: 'branch',
    stored: undefined,
    children: new Array(16).fill(null),
    occupied: 0,
    changed: 0,
    reference: undefined,
  }
}

/** A branch to change, with the children of a clean one. */
export function copyBranch({ stored, children, occupied }: Branch): Branch {
  return {
    kind: 'branch',
    stored,
    children: children.slice(),
    occupied,
    changed: 0,
    reference: undefined,
  }
}

export function newExtension(path: Uint8Array, child: Node | Reference): Extension {
  return { kind: 'extension', path, child, reference: undefined }
}

export function newLeaf(path: Uint8Array, value: Uint8Array): Leaf {
  return { kind: 'leaf', path, value, reference: undefined }
}

export function isReference(child: Node | Reference): child is Reference {
  return child instanceof Uint8Array
}

/** The child at `nibble`, `null` if there is none. */
export function childOf(branch: Branch, nibble: number): Node | Reference | null {
  const child = branch.children[nibble]
  if (child !== undefined) return child
  if (branch.stored === undefined || (branch.occupied & (1 << nibble)) === 0) return null
  const { rlp } = branch.stored
  const start = offsetOf(branch.stored, nibble)
  const end = offsetOf(branch.stored, nibble + 1)
  // A hash is a string of RLP, with its length before it; a node within its parent is a list.
  return rlp.subarray(rlp[start] < 0xc0 ? start + 1 : start, end)
}

/** Where the child at `nibble` begins; for 16, where the last one ends. */
export function offsetOf(stored: StoredBranch, nibble: number): number {
  if (stored.offsets !== undefined) return stored.offsets[nibble]
  // Each child takes a byte, and 32 more if there is one.
  let before = stored.occupied & ((1 << nibble) - 1)
  before -= (before >> 1) & 0x5555
  before = (before & 0x3333) + ((before >> 2) & 0x3333)
  before = (before + (before >> 4)) & 0x0f0f
  return stored.start + nibble + HASH_LENGTH * ((before + (before >> 8)) & 31)
}

/** Puts a child, or `null` for none, at `nibble` of a branch that is not clean. */
export function setChild(branch: Branch, nibble: number, child: Node | Reference | null): void {
  branch.children[nibble] = child
  branch.changed |= 1 << nibble
  if (child === null) branch.occupied &= ~(1 << nibble)
  else branch.occupied |= 1 << nibble
}

/** The nibble of the only child, or -1 if there are several or none. */
export function onlyChild(branch: Branch): number {
  const { occupied } = branch
  return occupied !== 0 && (occupied & (occupied - 1)) === 0 ? 31 - Math.clz32(occupied) : -1
}
