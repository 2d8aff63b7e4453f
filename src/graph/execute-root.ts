// The nodes that may run now, best first.
// Authority on which of them is next. Must not know what they depend on.

/** A heap of ranks: each rank is a different node, and the lowest comes first. */
export class ExecuteRoot {
  readonly #heap: Int32Array
  #size = 0

  /** For ranks that are never more than `capacity` at a time. */
  constructor(capacity: number) {
    this.#heap = new Int32Array(capacity)
  }

  /** Nodes that may run now. */
  get size(): number {
    return this.#size
  }

  add(rank: number): void {
    const heap = this.#heap
    let at = this.#size++
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (heap[parent] <= rank) break
      heap[at] = heap[parent]
      at = parent
    }
    heap[at] = rank
  }

  /** Removes and returns the lowest rank; -1 if there is none. */
  take(): number {
    if (this.#size === 0) return -1
    const heap = this.#heap
    const first = heap[0]
    const last = heap[--this.#size]
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child >= this.#size) break
      if (child + 1 < this.#size && heap[child + 1] < heap[child]) child++
      if (heap[child] >= last) break
      heap[at] = heap[child]
      at = child
    }
    heap[at] = last
    return first
  }
}
