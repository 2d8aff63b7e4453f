// Loads what a list of keys will meet on its way down a trie, each node once.
// Authority on reading nodes: level by level, the nodes of one level all at once. Changes nothing but
// that a loaded node takes the place of its reference in its parent.

import { internalError, type ParallelError } from '../errors.ts'
import { hexOf } from './hex.ts'
import { commonLength } from './nibbles.ts'
import { brokenTrie, decodeNode } from './node-codec.ts'
import type { TrieCache } from './trie-cache.ts'
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

/** Something that has a key, spelled out in nibbles. */
export interface Keyed {
  readonly key: Uint8Array
}

/** A node that is to be loaded, and the keys, from `low` to below `high`, that lie under it. */
interface Visit {
  readonly reference: Reference
  readonly parent: Branch | Extension
  readonly nibble: number
  readonly low: number
  readonly high: number
  readonly depth: number
}

/** Something that asks for nodes by their references, those of one level at once, and comes to `T`. */
export type Loading<T> = Generator<readonly Reference[], T, readonly Node[]>

/** What `loading` comes to with the nodes of `source`. */
export async function load<T>(loading: Loading<T>, source: NodeSource): Promise<T> {
  let step = loading.next()
  while (step.done !== true) {
    const nodes = loadNodes(step.value, source)
    step = loading.next(nodes instanceof Promise ? await nodes : nodes)
  }
  return step.value
}

/** The same at once, from a source that answers at once. */
export function loadNow<T>(loading: Loading<T>, source: NodeSource): T {
  let step = loading.next()
  while (step.done !== true) {
    const nodes = loadNodes(step.value, source)
    if (nodes instanceof Promise) throw internalError('a source of nodes does not answer at once')
    step = loading.next(nodes)
  }
  return step.value
}

/**
 * The top node of the trie at `root`, with all nodes loaded that `keys`, which are sorted, lead through.
 *
 * @throws ParallelError `BROKEN_TRIE` if a node is missing or cannot be decoded.
 */
export function* loadTrie(
  root: Uint8Array,
  keys: readonly Keyed[],
  cache: TrieCache | undefined,
): Loading<Node> {
  const kept = cache?.find(root)
  const node = kept ?? (yield [root])[0]
  const count = yield* loadPaths(node, keys)
  cache?.keep(root, node, kept === undefined ? count + 1 : count)
  return node
}

/** Loads what `keys` lead through below a node; returns how many were loaded. */
function* loadPaths(root: Node, keys: readonly Keyed[]): Loading<number> {
  const descent = new Descent(keys)
  descent.enter(root, 0, keys.length, 0)
  let count = 0
  while (descent.next.length > 0) {
    const level = descent.next
    descent.next = []
    const loaded = yield level.map(({ reference }) => reference)
    for (let i = 0; i < level.length; i++) descent.attach(level[i], loaded[i])
    count += level.length
  }
  return count
}

/** The nodes of these references, in their order. */
function loadNodes(references: readonly Reference[], source: NodeSource): Node[] | Promise<Node[]> {
  const answers = references.map((reference) =>
    reference.length === HASH_LENGTH ? source.get(reference) : reference,
  )
  const decodeAll = (stored: readonly (Uint8Array | undefined)[]): Node[] =>
    stored.map((rlp, i) => {
      if (rlp === undefined) throw missingNode(references[i])
      return decodeNode(plainBytes(rlp), references[i])
    })
  if (answers.some((answer) => answer instanceof Promise)) {
    return Promise.all(answers).then(decodeAll)
  }
  return decodeAll(answers as (Uint8Array | undefined)[])
}

class Descent {
  /** What to load next. */
  next: Visit[] = []
  readonly #keys: readonly Keyed[]

  constructor(keys: readonly Keyed[]) {
    this.#keys = keys
  }

  /** Puts a loaded node into its parent and goes on from there. */
  attach({ parent, nibble, low, high, depth }: Visit, loaded: Node): void {
    const present = parent.kind === 'branch' ? parent.children[nibble] : parent.child
    let node = loaded
    if (present !== undefined && present !== null && !isReference(present)) {
      // Somebody else has loaded it in the meantime, and may have gone on from there.
      node = present
    } else if (parent.kind === 'branch') {
      parent.children[nibble] = node
    } else {
      parent.child = node
    }
    this.enter(node, low, high, depth)
  }

  enter(node: Node, low: number, high: number, depth: number): void {
    const keys = this.#keys
    if (node.kind === 'leaf') {
      if (depth + node.path.length !== keys[low].key.length) {
        throw brokenTrie('a key of a trie is not as long as the keys that are looked for')
      }
    } else if (node.kind === 'extension') {
      const [from, to] = rangeBelow(node, keys, low, high, depth)
      if (from < to) this.#visit(node, 0, node.child, from, to, depth + node.path.length)
    } else {
      for (let from = low; from < high; ) {
        const to = groupEnd(keys, from, high, depth)
        const nibble = keys[from].key[depth]
        const child = childOf(node, nibble)
        if (child !== null) this.#visit(node, nibble, child, from, to, depth + 1)
        from = to
      }
    }
  }

  #visit(
    parent: Branch | Extension,
    nibble: number,
    child: Node | Reference,
    low: number,
    high: number,
    depth: number,
  ): void {
    if (!isReference(child)) {
      this.enter(child, low, high, depth)
      return
    }
    const visit: Visit = { reference: child, parent, nibble, low, high, depth }
    if (child.length === HASH_LENGTH) this.next.push(visit)
    else this.attach(visit, decodeNode(child, child))
  }
}

/** The end of the run of keys from `from` on that have the same nibble at `depth`. */
export function groupEnd(
  keys: readonly Keyed[],
  from: number,
  high: number,
  depth: number,
): number {
  const nibble = keys[from].key[depth]
  let to = from + 1
  while (to < high && keys[to].key[depth] === nibble) to++
  return to
}

/** The run of those keys that have the first `length` nibbles of an extension's path; maybe empty. */
export function rangeBelow(
  { path }: Extension,
  keys: readonly Keyed[],
  low: number,
  high: number,
  depth: number,
  length: number = path.length,
): [from: number, to: number] {
  let from = low
  while (from < high && commonLength(path, keys[from].key, depth) < length) from++
  let to = from
  while (to < high && commonLength(path, keys[to].key, depth) >= length) to++
  return [from, to]
}

/** Databases may answer with Buffers, whose methods are not all what those of arrays are. */
function plainBytes(bytes: Uint8Array): Uint8Array {
  if (bytes.constructor === Uint8Array) return bytes
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length)
}

function missingNode(hash: Uint8Array): ParallelError {
  return brokenTrie(`node 0x${hexOf(hash)} of a trie is not in its database`)
}
