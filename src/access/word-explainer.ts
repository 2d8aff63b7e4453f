// Explains the words of one execution: the account it turned to, the key it used, the argument it gave.
// Authority on the shapes that are recognized (mappings, arrays, structs, computed addresses); which of
// several equal sources is believed is in word-origin.ts. Must not run on the hot path: it searches.
import { MOST_ELEMENT, shapeOfOne } from './array-shape.ts'
import { constant, countForms, type Expression, isConstant, MOST_FORMS } from './expression.ts'
import type { ObservedAccess } from './observation.ts'
import { composeHash, MOST_ADDRESS_ZEROS, type PreimageParts } from './preimage-shape.ts'
import { type SeenSlot, SeenSlots, type SlotAccess, textOf } from './seen-slots.ts'
import type { TransactionFacts } from './transaction-facts.ts'
import {
  ADDRESS,
  compareBytes,
  type Keccak,
  leadingZeros,
  padded,
  smallNumber,
  WORD,
  wordOf,
} from './word.ts'
import { type HashIndex, LoadIndex } from './word-index.ts'
import { WordOrigin } from './word-origin.ts'
import { WORK, type WorkBudget } from './work-budget.ts'

/** Fields of a struct, or elements of a fixed array, behind a mapping's entry. */
const MOST_FIELDS = 1024
/** Addresses that begin with more zeros than this are taken for amounts. */
const MOST_VANITY = 5
/** Numbers below are taken for constants where nothing else explains them. */
const MOST_CODED = 1 << 16
/** Hashes of hashes that are followed: programs that chain more are not computing keys. */
const MOST_NESTED = 24

/**
 * Explains the words of one call, in the terms of its own facts. It goes no deeper where the work is
 * spent: what was under way then is not to be believed.
 */
export class WordExplainer {
  readonly #hashes: HashIndex
  readonly #work: WorkBudget
  readonly #loads = new LoadIndex()
  readonly #origin: WordOrigin
  readonly #seen: SeenSlots
  readonly #accounts = new Map<string, Expression>()
  /** By preimage. Hashes of hashes share their parts, so each is put together once. */
  readonly #known = new Map<string, Expression | undefined>()
  readonly #parts: PreimageParts = {
    word: (word) => this.#word(word),
    address: (address) => this.#address(address),
    packed: (bytes) => this.#origin.packed(bytes),
    isHash: (word) => this.#hashes.preimageOf(word) !== undefined,
  }
  #depth = 0
  /** The account whose slot is being explained: an array's length is in the same one. */
  #inAccount: Uint8Array = new Uint8Array(ADDRESS)

  /** `accesses`: all that the call and those below it touch. */
  constructor(
    facts: TransactionFacts,
    accesses: readonly ObservedAccess[],
    hashes: HashIndex,
    keccak: Keccak,
    work: WorkBudget,
  ) {
    this.#hashes = hashes
    this.#work = work
    this.#seen = new SeenSlots(accesses, keccak, work)
    this.#origin = new WordOrigin(facts, this.#loads, work)
  }

  account(address: Uint8Array): Expression {
    const text = textOf(address)
    let account = this.#accounts.get(text)
    if (account === undefined) {
      account = this.#bounded(this.#address(address), padded(address))
      // A constant may find a better source once more has been read.
      if (!isConstant(account)) this.#accounts.set(text, account)
    }
    return account
  }

  /** The key of a slot; its value may explain what comes later. */
  slotKey(access: SlotAccess): Expression {
    this.#inAccount = access.address
    const key = this.#bounded(this.#slotKey(access.key), access.key)
    if (access.value !== undefined) {
      const load: Expression = { form: 'load', account: this.account(access.address), key }
      const value = padded(access.value)
      if (smallNumber(value) < 0) this.#work.spend(WORK.KEEP_VALUE)
      this.#loads.add(value, load)
      this.#seen.add(access, access.value, load)
    }
    return key
  }

  /** An argument of a call, or undefined for what nothing explains: an amount. */
  argument(word: Uint8Array): Expression | undefined {
    const explained = this.#bounded(this.#word(word), word)
    return isConstant(explained) && !isLikelyConstant(word) ? undefined : explained
  }

  #address(address: Uint8Array): Expression {
    if (leadingZeros(address) >= MOST_ADDRESS_ZEROS) return constant(padded(address))
    const source = this.#origin.namedAddress(address)
    if (source !== undefined) return source
    const preimage = this.#hashes.preimageOf(address)
    const hash = preimage === undefined ? undefined : this.#hash(preimage)
    if (hash !== undefined) {
      return { form: 'bytes', word: hash, skip: WORD - ADDRESS, size: ADDRESS }
    }
    return this.#origin.otherAddress(address)
  }

  #slotKey(key: Uint8Array): Expression {
    // The compiler numbers variables: a small slot is in the code.
    if (smallNumber(key) >= 0) return constant(key)
    const source = this.#bigWord(key)
    if (source !== undefined) return source
    if (leadingZeros(key) >= WORD - ADDRESS) return this.#word(key)
    return this.#foldedArray(key) ?? constant(key)
  }

  /** A word that programs compute with: the key of a mapping, an id. */
  #word(word: Uint8Array): Expression {
    const small = smallNumber(word)
    if (small === 0) return constant(word)
    if (small > 0) return this.#origin.number(small)
    if (leadingZeros(word) >= WORD - ADDRESS) return this.#address(word.subarray(WORD - ADDRESS))
    return this.#bigWord(word) ?? constant(word)
  }

  #bigWord(word: Uint8Array): Expression | undefined {
    const given = this.#origin.argument(word)
    if (given !== undefined) return given
    const preimage = this.#hashes.preimageOf(word)
    if (preimage !== undefined) {
      const hash = this.#hash(preimage)
      if (hash !== undefined) return this.#behind(hash, word, preimage, 0)
    }
    const near = this.#hashes.below(word)
    const base = near === undefined ? undefined : this.#hash(near.preimage)
    if (base !== undefined) {
      const behind = this.#behind(base, near!.hash, near!.preimage, near!.distance)
      if (behind !== undefined) return behind
    }
    return this.#origin.loaded(word)
  }

  /** A field of a struct, or an element of an array, that lies so far behind a hash. */
  #behind(
    base: Expression,
    hash: Uint8Array,
    preimage: Uint8Array,
    distance: number,
  ): Expression | undefined {
    if (preimage.length === WORD) {
      const length = this.#seen.at(this.#inAccount, preimage)
      const index = this.#index(hash, distance, length)
      return distance === 0 && isConstant(index) ? base : { form: 'add', left: base, right: index }
    }
    if (distance === 0) return base
    if (distance > MOST_FIELDS) return undefined
    return { form: 'add', left: base, right: constant(wordOf(distance)) }
  }

  /** A dynamic array whose place the compiler computed: its length is in a slot that was read before. */
  #foldedArray(key: Uint8Array): Expression | undefined {
    const found = this.#seen.arrayAround(this.#inAccount, key)
    if (found === undefined) return undefined
    const { base, distance, length } = found
    const hash: Expression = {
      form: 'keccak',
      parts: [{ word: constant(length.access.key), size: WORD }],
    }
    return { form: 'add', left: hash, right: this.#index(base, distance, length) }
  }

  /**
   * Where in an array: behind its end or at its last element, where an argument says, or a counter.
   * Only who adds or removes elements writes the length; others are asked for their arguments first.
   */
  #index(base: Uint8Array, distance: number, length: SeenSlot | undefined): Expression {
    const isResized = length?.access.kind === 'write'
    if (isResized) {
      const atEnd = this.#indexAtEnd(base, distance, length)
      if (atEnd !== undefined) return atEnd
    }
    for (let size = 1; size <= MOST_ELEMENT; size++) {
      const index = Math.floor(distance / size)
      const given = index === 0 ? undefined : this.#origin.index(index)
      if (given !== undefined) return element(given, size, distance % size)
    }
    const atEnd = length === undefined ? undefined : this.#indexAtEnd(base, distance, length)
    if (atEnd !== undefined) return atEnd
    return distance === 0 ? constant(wordOf(0)) : this.#origin.number(distance)
  }

  #indexAtEnd(base: Uint8Array, distance: number, length: SeenSlot): Expression | undefined {
    const { count, load } = length
    if (count < 0) return undefined
    const shape = this.#seen.shapeOf(length, base) ?? shapeOfOne(distance, count)
    if (shape === undefined) return undefined
    const number = Math.floor(distance / shape.elementSize)
    const last: Expression = { form: 'add', left: load, right: constant(minusOne) }
    const index = number === count ? load : last
    return element(index, shape.elementSize, distance % shape.elementSize)
  }

  /** How a preimage is put together, or undefined where its shape is not known or too large. */
  #hash(preimage: Uint8Array): Expression | undefined {
    const text = textOf(preimage)
    if (this.#known.has(text)) return this.#known.get(text)
    // A hash cannot contain itself; a forged observation could say so.
    this.#known.set(text, undefined)
    if (this.#depth === MOST_NESTED || this.#work.isSpent) return undefined
    this.#work.spend(WORK.INDEX)
    this.#depth++
    const composed = composeHash(preimage, this.#parts)
    this.#depth--
    const hash = composed === undefined || this.#isTooLarge(composed) ? undefined : composed
    this.#known.set(text, hash)
    return hash
  }

  /** The expression, or a constant where it has grown beyond what an expression may have. */
  #bounded(expression: Expression, word: Uint8Array): Expression {
    return this.#isTooLarge(expression) ? constant(word.slice()) : expression
  }

  #isTooLarge(expression: Expression): boolean {
    const forms = countForms(expression)
    this.#work.spend(WORK.NODE * forms)
    return forms > MOST_FORMS
  }
}

/** What programs have in their code: addresses, small numbers, and "all". */
function isLikelyConstant(word: Uint8Array): boolean {
  const small = smallNumber(word)
  const zeros = leadingZeros(word) - (WORD - ADDRESS)
  return (
    (small >= 0 && small < MOST_CODED) ||
    (zeros >= 0 && zeros <= MOST_VANITY) ||
    compareBytes(word, minusOne) === 0
  )
}

const minusOne = new Uint8Array(WORD).fill(0xff)

function element(index: Expression, size: number, field: number): Expression {
  const start: Expression = size === 1 ? index : { form: 'times', word: index, factor: size }
  return field === 0 ? start : { form: 'add', left: start, right: constant(wordOf(field)) }
}
