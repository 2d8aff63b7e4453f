// Keeps tries in memory, by their roots, as far as they have been loaded.
// Authority on how much is kept. Nodes are named by their hashes, so what is kept is never out of date;
// it only may be that the database, which it came from, has lost it.

import type { Node } from './trie-node.ts'

/** Some 30 to 60 MB: a branch of 16 children takes a kilobyte, most nodes less than half of that. */
const MOST_NODES = 65_536

/** Tries of one database. Successive tries share the nodes in which they do not differ. */
export class TrieCache {
  readonly #roots = new Map<string, Node>()
  readonly #limit: number
  #count = 0

  constructor(limit: number = MOST_NODES) {
    this.#limit = limit
  }

  /** The top node of the trie that has this root. */
  find(root: Uint8Array): Node | undefined {
    return this.#roots.get(nameOf(root))
  }

  /** Keeps the trie below `node`, in which `added` nodes are new; when there are too many, drops all. */
  keep(root: Uint8Array, node: Node, added: number): void {
    this.#count += added
    if (this.#count > this.#limit) {
      this.#roots.clear()
      this.#count = 0
    } else {
      this.#roots.set(nameOf(root), node)
    }
  }
}

function nameOf(root: Uint8Array): string {
  return Buffer.from(root.buffer, root.byteOffset, root.length).toString('latin1')
}
