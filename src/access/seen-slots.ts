// The slots that one execution has read so far: found by their place, and as lengths of the arrays that
// other slots belong to. Authority on which array a slot lies in and on how its elements look.
// Must not search: each array is looked at once, whatever the number of slots behind it.
import { type ArrayShape, shapeAtEnd } from './array-shape.ts'
import type { Expression } from './expression.ts'
import type { ObservedAccess } from './observation.ts'
import { type Keccak, padded, smallNumber, WORD } from './word.ts'
import { WORK, type WorkBudget } from './work-budget.ts'

export interface SlotAccess extends ObservedAccess {
  readonly key: Uint8Array
}

/** A slot that was read before. */
export interface SeenSlot {
  readonly access: SlotAccess
  readonly load: Expression
  /** What it holds, or -1 if that is too much for a length. */
  readonly count: number
  /** If it is the length of an array: how the elements look; null where they look like none. */
  shape?: ArrayShape | null
}

/** A slot in an array whose length is in a slot that was read before. */
export interface ArraySlot {
  readonly length: SeenSlot
  /** Where the elements begin. */
  readonly base: Uint8Array
  readonly distance: number
}

/** Bytes of a key that all slots of an array share: it has less than 2^32 of them. */
const UPPER = WORD - 4

export class SeenSlots {
  readonly #accesses: readonly ObservedAccess[]
  readonly #keccak: Keccak
  readonly #work: WorkBudget
  readonly #byPlace = new Map<string, SeenSlot>()
  /** By account and the upper bytes of where the elements are, if the slot is an array's length. */
  readonly #byBase = new Map<string, { readonly length: SeenSlot; readonly base: Uint8Array }>()
  /** Variables whose arrays nobody has asked for yet. */
  #unhashed: SeenSlot[] = []
  /** By account and upper bytes of the key: the lower bytes of all slots that are touched. */
  #touched: Map<string, number[]> | undefined

  /** `accesses`: all of the execution, those yet to come included. */
  constructor(accesses: readonly ObservedAccess[], keccak: Keccak, work: WorkBudget) {
    this.#accesses = accesses
    this.#keccak = keccak
    this.#work = work
  }

  add(access: SlotAccess, value: Uint8Array, load: Expression): void {
    const seen: SeenSlot = { access, load, count: smallNumber(padded(value)) }
    const place = textOf(access.address) + textOf(access.key)
    if (this.#byPlace.has(place)) return
    this.#byPlace.set(place, seen)
    if (smallNumber(access.key) >= 0) this.#unhashed.push(seen)
  }

  at(account: Uint8Array, key: Uint8Array): SeenSlot | undefined {
    return this.#byPlace.get(textOf(account) + textOf(key))
  }

  /** The array of a variable that this slot lies in, if its length was read before. */
  arrayAround(account: Uint8Array, key: Uint8Array): ArraySlot | undefined {
    this.#work.spend(WORK.HASH * this.#unhashed.length)
    for (const length of this.#unhashed) {
      const base = this.#keccak(length.access.key).slice()
      this.#byBase.set(upperText(length.access.address, base), { length, base })
    }
    this.#unhashed = []
    const found = this.#byBase.get(upperText(account, key))
    const distance = found === undefined ? -1 : lowerOf(key) - lowerOf(found.base)
    return distance < 0 ? undefined : { ...found!, distance }
  }

  /** How the elements look, by all slots that this execution touches behind `base`. */
  shapeOf(length: SeenSlot, base: Uint8Array): ArrayShape | undefined {
    if (length.shape === undefined) {
      const lower = lowerOf(base)
      const distances = (this.#allTouched().get(upperText(length.access.address, base)) ?? [])
        .map((each) => each - lower)
        .filter((distance) => distance >= 0)
      this.#work.spend(distances.length)
      const isKnown = length.count >= 0 && distances.length > 0
      length.shape = isKnown ? (shapeAtEnd(distances, length.count) ?? null) : null
    }
    return length.shape ?? undefined
  }

  #allTouched(): Map<string, number[]> {
    if (this.#touched !== undefined) return this.#touched
    this.#work.spend(WORK.INDEX * this.#accesses.length)
    const touched = new Map<string, number[]>()
    for (const { key, address } of this.#accesses) {
      if (key === undefined) continue
      const text = upperText(address, key)
      const others = touched.get(text)
      if (others === undefined) touched.set(text, [lowerOf(key)])
      else others.push(lowerOf(key))
    }
    this.#touched = touched
    return touched
  }
}

/** Bytes as a text that maps can find. */
export function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1')
}

function upperText(account: Uint8Array, key: Uint8Array): string {
  return textOf(account) + textOf(key.subarray(0, UPPER))
}

function lowerOf(key: Uint8Array): number {
  return smallNumber(key.subarray(UPPER))
}
