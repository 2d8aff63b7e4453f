// Finds the blocks that may have logs of given addresses and topics, over any number of blocks.
// The authority on nothing: what it names has to be looked at. It holds a filter for each block that has
// logs, and nothing for the others, so a search costs some 100 ns for each of those.

import { bytesOf } from '../hex.ts'
import { createLogFilter, logName, mayHave } from './log-filter.ts'
import type { Receipt } from './sealed-block.ts'

export interface LogQuery {
  /** Any of these; none given: any at all. In lower case. */
  readonly addresses: readonly string[]
  /** For each place: any of these; none given: any at all. */
  readonly topics: readonly (readonly string[])[]
}

/** The filter of a block with these receipts; undefined if it has no logs. */
export function logFilterOf(receipts: readonly Receipt[]): Uint8Array | undefined {
  const names = new Set<number>()
  for (const { logs } of receipts) {
    for (const { address, topics } of logs) {
      names.add(logName(0, address))
      for (const [place, topic] of topics.entries()) names.add(logName(place + 1, topic))
    }
  }
  return names.size === 0 ? undefined : createLogFilter(names)
}

export class LogIndex {
  /** Blocks with logs, in ascending order, and the filter of each. */
  readonly #numbers: number[] = []
  readonly #filters: Uint8Array[] = []

  append(number: number, filter: Uint8Array | undefined): void {
    if (filter === undefined) return
    this.#numbers.push(number)
    this.#filters.push(filter)
  }

  /** Forgets all blocks above `number`. */
  truncate(number: number): void {
    const length = lowerBound(this.#numbers, number + 1)
    this.#numbers.length = length
    this.#filters.length = length
  }

  /** Blocks in `from..to` that may have each of what is asked for, in ascending order. */
  candidates(query: LogQuery, from: number, to: number): number[] {
    const wanted = [query.addresses, ...query.topics]
      .map((choices, place) => choices.map((choice) => logName(place, bytesOf(choice))))
      .filter((names) => names.length > 0)
    const found: number[] = []
    const end = lowerBound(this.#numbers, to + 1)
    for (let at = lowerBound(this.#numbers, from); at < end; at++) {
      const filter = this.#filters[at] as Uint8Array
      if (wanted.every((names) => names.some((name) => mayHave(filter, name)))) {
        found.push(this.#numbers[at] as number)
      }
    }
    return found
  }
}

/** Where the first number that is `value` or more stands. */
function lowerBound(numbers: readonly number[], value: number): number {
  let [low, high] = [0, numbers.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((numbers[middle] as number) < value) low = middle + 1
    else high = middle
  }
  return low
}
