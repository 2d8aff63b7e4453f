// Keeps an order of nodes in which each comes after what it depends on, while edges are added.
// Authority on cycles: an edge that has no place in the order closes one. Must not change the edges,
// which belong to the graph.
//
// Pearce and Kelly, "A dynamic topological sort algorithm for directed acyclic graphs" (2006): an edge
// that agrees with the order costs nothing. Only where it disagrees are the nodes searched that lie
// between its ends. A new node is put at the end that agrees with its first edge, so that a graph
// built in canonical order, or in reverse, needs no search.

export class TopologicalOrder {
  readonly #dependencies: readonly (readonly number[])[]
  readonly #dependents: readonly (readonly number[])[]
  /** Of each node; those of n nodes are the n integers from `#lowest` on. */
  readonly #positions: number[] = []
  #lowest = 0

  /** Watches the lists that the graph keeps. */
  constructor(
    dependencies: readonly (readonly number[])[],
    dependents: readonly (readonly number[])[],
  ) {
    this.#dependencies = dependencies
    this.#dependents = dependents
  }

  /** The next node comes last for now. */
  append(): void {
    this.#positions.push(this.#lowest + this.#positions.length)
  }

  /** The next node comes first for now. */
  prepend(): void {
    this.#positions.push(--this.#lowest)
  }

  /** From 0 on. */
  positionOf(node: number): number {
    return this.#positions[node] - this.#lowest
  }

  /** All nodes in order. */
  nodes(): number[] {
    const nodes: number[] = new Array(this.#positions.length).fill(0)
    for (const [node, position] of this.#positions.entries()) {
      nodes[position - this.#lowest] = node
    }
    return nodes
  }

  /**
   * Makes `before` come before `after`, for an edge between them that is added next. If `before`
   * depends on `after`, nothing changes, and the chain from `before` down to `after` is returned.
   */
  putBefore(before: number, after: number): number[] | undefined {
    const positions = this.#positions
    if (positions[before] < positions[after]) return undefined
    const [low, high] = [positions[after], positions[before]]
    /** Dependents of `after` that must move up, and from which dependency they were reached. */
    const above = new Map([[after, after]])
    for (const node of above.keys()) {
      for (const dependent of this.#dependents[node]) {
        if (positions[dependent] > high || above.has(dependent)) continue
        above.set(dependent, node)
        if (dependent === before) return chain(above, before, after)
      }
    }
    const below = new Set([before])
    for (const node of below) {
      for (const on of this.#dependencies[node]) {
        if (positions[on] > low) below.add(on)
      }
    }
    this.#merge([...below], [...above.keys()])
    return undefined
  }

  /** Gives the places of all these nodes first to `below` and then to `above`, each in its order. */
  #merge(below: number[], above: number[]): void {
    const positions = this.#positions
    const byPosition = (a: number, b: number): number => positions[a] - positions[b]
    const nodes = [...below.sort(byPosition), ...above.sort(byPosition)]
    const places = nodes.map((node) => positions[node]).sort((a, b) => a - b)
    for (const [i, node] of nodes.entries()) positions[node] = places[i]
  }
}

/** From `before` down to `after`, by what each node was reached from. */
function chain(reachedFrom: ReadonlyMap<number, number>, before: number, after: number): number[] {
  const nodes = [before]
  for (let node = before; node !== after; ) {
    node = reachedFrom.get(node)!
    nodes.push(node)
  }
  return nodes
}
