// The locations at which a block's transactions meet, as a reader knows them: contracts by name, slots
// that a compiler numbered by number. The authority on how a location is put into words.
// Must not drop what tells two locations apart from the data: only the text is shortened.
import type { HotLocation } from '../../src/index.ts'
import { count } from './wording.ts'

export interface NamedLocation extends HotLocation {
  /** Null where the address is no contract of the workload's. */
  readonly contract: string | null
}

/** Mapping entries lie at hashes; declared variables at small numbers. */
const LARGEST_NUMBER = 0xffffn

export function nameLocation(
  location: HotLocation,
  contractNames: ReadonlyMap<string, string>,
): NamedLocation {
  return { ...location, contract: contractNames.get(location.address) ?? null }
}

/** For example `slot 2 of Pool 1`, `balance of 0x1234567890…34567890`. */
export function locationText({ field, slot, contract, address }: NamedLocation): string {
  const place = slot === undefined ? field : `${field} ${slotText(slot)}`
  return `${place} of ${contract ?? shorten(address)}`
}

/** For example `120 writers, 1 reader`; who writes is not counted as a reader. */
export function touchedText({ writers, readers, adders }: HotLocation): string {
  return Object.entries({ writer: writers, reader: readers, adder: adders })
    .filter(([, number]) => number > 0)
    .map(([noun, number]) => count(number, noun))
    .join(', ')
}

function slotText(slot: string): string {
  const number = BigInt(slot)
  return number <= LARGEST_NUMBER ? String(number) : shorten(slot)
}

function shorten(hex: string): string {
  return `${hex.slice(0, 10)}…${hex.slice(-8)}`
}
