// Loads what a list of changes will meet on its way down a trie, each node once.
// Authority on reading nodes: level by level, the nodes of one level all at once. Changes nothing.

import { internalError, type ParallelError } from '../errors.ts'
import { commonLength } from './nibbles.ts'
import { brokenTrie, decodeNode } from './node-codec.ts'
import {
  type Branch,
  childOf,
  type Extension,
  HASH_LENGTH,
  isReference,
  type Node,
  type Reference,
} from './trie-node.ts'

/** Where nodes are stored. */
export interface NodeSource {
  /** The RLP of the node with this hash; at once where that is possible, since promises cost. */
  get(hash: Uint8Array): Uint8Array | undefined | Promise<Uint8Array | undefined>
}

/** A change whose key is spelled out; `null` deletes. */
export interface PathChange {
  readonly key: Uint8Array
  readonly value: Uint8Array | null
}

/** A node that is to be loaded, and the changes, from `low` to below `high`, that lie under it. */
interface Visit {
  readonly reference: Reference
  readonly parent: Branch | Extension | undefined
  readonly nibble: number
  readonly low: number
  readonly high: number
  readonly depth: number
}

/**
 * The node at `root`, with all nodes below it that `changes`, which are sorted, lead through.
 *
 * @throws ParallelError `BROKEN_TRIE` if a node is missing or cannot be decoded.
 */
export async function loadPaths(
  root: Reference,
  source: NodeSource,
  changes: readonly PathChange[],
): Promise<Node> {
  const top = { reference: root, parent: undefined, nibble: 0, low: 0, depth: 0 }
  let level: Visit[] = [{ ...top, high: changes.length }]
  let loadedRoot: Node | undefined
  while (level.length > 0) {
    const nodes = loadNodes(
      level.map((visit) => visit.reference),
      source,
    )
    const loaded = nodes instanceof Promise ? await nodes : nodes
    const next: Visit[] = []
    for (let i = 0; i < level.length; i++) {
      loadedRoot ??= loaded[i]
      attach(level[i], loaded[i], changes, next)
    }
    level = next
  }
  return loadedRoot!
}

/** The nodes of these references, in their order. */
export function loadNodes(
  references: readonly Reference[],
  source: NodeSource,
): Node[] | Promise<Node[]> {
  const answers = references.map((reference) =>
    reference.length === HASH_LENGTH ? source.get(reference) : reference,
  )
  const decodeAll = (stored: readonly (Uint8Array | undefined)[]): Node[] =>
    stored.map((rlp, i) => {
      if (rlp === undefined) throw missingNode(references[i])
      return decodeNode(rlp, references[i])
    })
  if (answers.some((answer) => answer instanceof Promise))
    return Promise.all(answers).then(decodeAll)
  return decodeAll(answers as (Uint8Array | undefined)[])
}

function attach(
  { parent, nibble, low, high, depth }: Visit,
  node: Node,
  changes: readonly PathChange[],
  next: Visit[],
): void {
  if (parent?.kind === 'branch') parent.children[nibble] = node
  else if (parent !== undefined) parent.child = node
  if (node.kind === 'leaf') {
    if (depth + node.path.length !== changes[low].key.length) {
      throw brokenTrie('a key of a trie is not as long as the keys that are looked for')
    }
  } else if (node.kind === 'extension') {
    const [from, to] = rangeBelow(node, changes, low, high, depth)
    if (from < to) visit(node, 0, node.child, changes, from, to, depth + node.path.length, next)
  } else {
    for (let from = low; from < high; ) {
      const to = groupEnd(changes, from, high, depth)
      const at = changes[from].key[depth]
      const child = childOf(node, at)
      if (child !== null) visit(node, at, child, changes, from, to, depth + 1, next)
      from = to
    }
  }
}

function visit(
  parent: Branch | Extension,
  nibble: number,
  child: Node | Reference,
  changes: readonly PathChange[],
  low: number,
  high: number,
  depth: number,
  next: Visit[],
): void {
  if (!isReference(child)) throw internalError('a node was loaded twice')
  const found: Visit = { reference: child, parent, nibble, low, high, depth }
  if (child.length === HASH_LENGTH) next.push(found)
  else attach(found, decodeNode(child, child), changes, next)
}

/** The end of the run of changes from `from` on that have the same nibble at `depth`. */
export function groupEnd(
  changes: readonly PathChange[],
  from: number,
  high: number,
  depth: number,
): number {
  const nibble = changes[from].key[depth]
  let to = from + 1
  while (to < high && changes[to].key[depth] === nibble) to++
  return to
}

/** The run of those changes that lead all along an extension's path; empty if none does. */
export function rangeBelow(
  { path }: Extension,
  changes: readonly PathChange[],
  low: number,
  high: number,
  depth: number,
  length: number = path.length,
): [from: number, to: number] {
  let from = low
  while (from < high && commonLength(path, changes[from].key, depth) < length) from++
  let to = from
  while (to < high && commonLength(path, changes[to].key, depth) >= length) to++
  return [from, to]
}

function missingNode(hash: Uint8Array): ParallelError {
  const name = Buffer.from(hash).toString('hex')
  return brokenTrie(`node 0x${name} of a trie is not in its database`)
}
