// One observed execution as all its calls are learned from: what it hashed, read and made, put in order
// when the first of them asks. Authority on nothing but finding, and on what that costs.
// Must not know templates.
import type { Explained } from './explain.ts'
import { isConstant } from './expression.ts'
import type { LoadSlot } from './expression-program.ts'
import { LocationSet } from './location-set.ts'
import type { Observation } from './observation.ts'
import { HashIndex } from './word-index.ts'
import { WORK, type WorkBudget } from './work-budget.ts'

export class Lesson {
  readonly work: WorkBudget
  readonly #observation: Observation
  #hashes: HashIndex | undefined
  #slots: LocationSet | undefined
  readonly #values: (Uint8Array | undefined)[] = []
  #made: LocationSet | undefined

  constructor(observation: Observation, work: WorkBudget) {
    this.#observation = observation
    this.work = work
  }

  get hashes(): HashIndex {
    if (this.#hashes === undefined) {
      this.#hashes = new HashIndex(this.#observation.hashes)
      this.work.spend(WORK.INDEX_HASH * this.#observation.hashes.length)
    }
    return this.#hashes
  }

  /** Slots as the execution found them. */
  readonly loadSlot: LoadSlot = (address, key) => {
    const slots = this.#slots ?? this.#sortSlots()
    return this.#values[slots.find('slot', address, key)]
  }

  /** In an account that the execution itself made, at an address that nothing explains: no rule. */
  isMadeHere({ rule, access, call }: Explained): boolean {
    if (!isConstant(rule.account)) return false
    const made = this.#made ?? this.#sortMade()
    return made.find('existence', access?.address ?? call!.codeAccount) !== -1
  }

  /** Only some templates ask, so they are sorted when one does. */
  #sortSlots(): LocationSet {
    const { accesses } = this.#observation
    const slots = new LocationSet()
    for (const { field, address, key, value } of accesses) {
      if (field !== 'slot') continue
      this.#values[slots.add('slot', address, key, 'read')] ??= value
    }
    this.work.spend(WORK.INDEX * accesses.length)
    this.#slots = slots
    return slots
  }

  #sortMade(): LocationSet {
    const made = new LocationSet()
    for (const { field, kind, address } of this.#observation.accesses) {
      if (field === 'existence' && kind === 'write') made.existence(address, kind)
    }
    this.#made = made
    return made
  }
}
