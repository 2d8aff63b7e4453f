// From where an execution had a word: the candidates, and which of them is believed.
// Authority on the order of preference, which is explained here and nowhere else.
// Must not evaluate: a belief is tested by the next executions.
//
// One observation cannot tell which of several equal sources was meant. A wrong belief costs one
// misprediction and is then replaced (see template.ts), so what counts is to be right at first sight
// as often as possible:
//  1. `to`, then `sender`: a word of 20 given bytes is no accident, and these two need nothing else.
//     The sender goes before calldata since programs pass msg.sender on without naming it, while an
//     argument that merely equals the sender ("recipient: myself") differs in the next call.
//  2. Calldata: it is what distinguishes calls of one function. Whole arguments before pieces of
//     packed ones, the first before later ones. Before loads, which may have to be fetched first.
//  3. Hashes: that the execution computed just this word says where it comes from. Before loads, which
//     hold such words too (a token that stores its pool), and may have to be fetched first.
//  4. Values that were read before: a pool's token, a proxy's implementation, an owner, a counter.
//  5. The coinbase: it is nearly always the fee's, and is touched by others only to pay it.
//  6. A constant: always possible, and right for this transaction only, unless it is in the code.
// Zero and small numbers are everywhere, so they are believed to be constants where programs have them
// (slots, the declared slot of a mapping), and arguments or counters where programs have keys.
import { argument, COINBASE, constant, type Expression, SENDER, TO } from './expression.ts'
import type { TransactionFacts } from './transaction-facts.ts'
import { ADDRESS, compareBytes, hasBytesAt, padded, WORD, wordOf } from './word.ts'
import { type LoadIndex, NUMBER_SIZE } from './word-index.ts'
import type { WorkBudget } from './work-budget.ts'

/** Arguments that are compared: a call with more has them in an array. */
const MOST_ARGUMENTS = 512
/** Bytes that are searched for packed addresses. */
const MOST_PACKED = 4096

const MINUS_ONE = constant(new Uint8Array(WORD).fill(0xff))
const ONE = constant(wordOf(1))

/** Where in the envelope, the calldata and the values read so far a word is found. */
export class WordOrigin {
  readonly #facts: TransactionFacts
  readonly #loads: LoadIndex
  readonly #work: WorkBudget

  constructor(facts: TransactionFacts, loads: LoadIndex, work: WorkBudget) {
    this.#facts = facts
    this.#loads = loads
    this.#work = work
  }

  /** An address that the transaction itself names, 20 bytes; the word has zeros before it. */
  namedAddress(address: Uint8Array): Expression | undefined {
    const { to, sender } = this.#facts
    if (to !== undefined && compareBytes(to, address) === 0) return TO
    if (sender !== undefined && compareBytes(sender, address) === 0) return SENDER
    return this.argument(padded(address)) ?? this.#packedAddress(address)
  }

  /** What is left for an address that no hash explains either. */
  otherAddress(address: Uint8Array): Expression {
    const loaded = this.#loadedAddress(address)
    if (loaded !== undefined) return loaded
    if (compareBytes(this.#facts.coinbase, address) === 0) return COINBASE
    return constant(padded(address))
  }

  /** The key of a mapping or an index: an argument, a counter, a counter before or after its change. */
  number(number: number): Expression {
    const word = wordOf(number)
    const given = this.argument(word) ?? this.#loads.number(number)
    if (given !== undefined) return given
    const before = this.#loads.number(number - 1)
    if (before !== undefined) return { form: 'add', left: before, right: ONE }
    const after = this.#loads.number(number + 1)
    if (after !== undefined) return { form: 'add', left: after, right: MINUS_ONE }
    return this.#packedNumber(number) ?? constant(word)
  }

  /** The number of an array's element: an argument, or an id that is packed into a slot. */
  index(number: number): Expression | undefined {
    return this.argument(wordOf(number)) ?? this.#packedNumber(number)
  }

  #packedNumber(number: number): Expression | undefined {
    const found = this.#loads.packedNumber(number)
    if (found === undefined) return undefined
    return { form: 'bytes', word: found.load, skip: found.skip, size: NUMBER_SIZE }
  }

  /** A slot whose value is exactly this word. */
  loaded(word: Uint8Array): Expression | undefined {
    return this.#loads.word(word)
  }

  /** The first argument that is exactly this word. */
  argument(word: Uint8Array): Expression | undefined {
    const { data } = this.#facts
    const end = Math.min(data.length - WORD, 4 + WORD * MOST_ARGUMENTS)
    let [at, k] = [4, 0]
    while (at <= end && !hasBytesAt(data, at, word)) {
      at += WORD
      k++
    }
    this.#work.spend(k + 1)
    return at <= end ? argument(k) : undefined
  }

  /** Where in the calldata a row of bytes stands, or -1. */
  packed(bytes: Uint8Array): number {
    const { data } = this.#facts
    const end = Math.min(data.length, MOST_PACKED) - bytes.length
    let [at, compared] = [4, 0]
    for (; at <= end; at++) {
      if (data[at] !== bytes[0]) continue
      compared += bytes.length
      if (hasBytesAt(data, at, bytes)) break
    }
    this.#work.spend(Math.ceil((at + compared) / WORD))
    return at <= end ? at : -1
  }

  #packedAddress(address: Uint8Array): Expression | undefined {
    const offset = this.packed(address)
    return offset === -1 ? undefined : { form: 'data', offset, size: ADDRESS }
  }

  #loadedAddress(address: Uint8Array): Expression | undefined {
    const found = this.#loads.address(address)
    if (found === undefined) return undefined
    return { form: 'bytes', word: found.load, skip: found.skip, size: ADDRESS }
  }
}
