// Expressions compiled for evaluation: equal subexpressions become one node, which is evaluated at most
// once per transaction. Authority on what an expression is worth for given facts.
// Must not be entered again from `loadSlot`: nodes hold the values of one transaction at a time.
import type { Expression } from './expression.ts'
import { formatExpression } from './expression-text.ts'
import type { HashMemo } from './hash-memo.ts'
import { MOST_UNKNOWN, type TransactionFacts, UNKNOWN_VALUE } from './transaction-facts.ts'
import {
  ADDRESS,
  addWords,
  compareBytes,
  copyPadded,
  scaleWord,
  WORD,
  writeBigWord,
} from './word.ts'
import { MOST_PREDICTION_WORK, WORK, WorkBudget } from './work-budget.ts'

/**
 * The value of a slot when the prediction is made, at most 32 bytes, or undefined where it is not known
 * yet: the caller may load it ahead and predict again. The arguments are valid during the call only.
 */
export type LoadSlot = (address: Uint8Array, key: Uint8Array) => Uint8Array | undefined

export const WORTH = {
  /** `value` holds the word. */
  KNOWN: 0,
  /** It depends on a slot or a sender that is not known yet. */
  UNKNOWN: 1,
  /**
   * This transaction has no such word: no recipient, or calldata that ends before it. Or nobody will
   * know it, since the work is spent.
   */
  ABSENT: 2,
} as const
export type Worth = (typeof WORTH)[keyof typeof WORTH]

/** One subexpression with its place for the word. */
export interface ProgramNode {
  readonly expression: Expression
  readonly operands: readonly ProgramNode[]
  readonly value: Uint8Array
  /** The last 20 bytes of `value`. */
  readonly address: Uint8Array
  worth: Worth
  /** The round that `value` and `worth` belong to. */
  round: number
}

/** Constants are right in every round; the others begin with 1. */
const EVERY_ROUND = -1

/** Turns expressions into nodes that share what they have in common. */
export class ProgramBuilder {
  readonly #nodes = new Map<string, ProgramNode>()

  node(expression: Expression): ProgramNode {
    const text = formatExpression(expression)
    const known = this.#nodes.get(text)
    if (known !== undefined) return known
    const value = new Uint8Array(WORD)
    const node: ProgramNode = {
      expression,
      operands: this.#operands(expression),
      value,
      address: value.subarray(WORD - ADDRESS),
      worth: WORTH.KNOWN,
      round: expression.form === 'constant' ? EVERY_ROUND : 0,
    }
    if (expression.form === 'constant') value.set(expression.word)
    this.#nodes.set(text, node)
    return node
  }

  #operands(expression: Expression): ProgramNode[] {
    switch (expression.form) {
      case 'keccak':
        return expression.parts.map(({ word }) => this.node(word))
      case 'add':
      case 'min':
      case 'max':
        return [this.node(expression.left), this.node(expression.right)]
      case 'times':
      case 'bytes':
        return [this.node(expression.word)]
      case 'load':
        return [this.node(expression.account), this.node(expression.key)]
      default:
        return []
    }
  }
}

/** Bytes that Keccak-256 takes at once; at least one of the last is padding. */
const KECCAK_BLOCK = 136

const NO_FACTS: TransactionFacts = {
  value: 0n,
  data: new Uint8Array(0),
  nonce: 0n,
  coinbase: new Uint8Array(ADDRESS),
}

/** Evaluates nodes for one transaction after the other. */
export class Evaluator {
  readonly #memo: HashMemo
  #facts = NO_FACTS
  #loadSlot: LoadSlot = () => undefined
  #work = new WorkBudget(0)
  #round = 0
  #lastRound = 0

  constructor(memo: HashMemo) {
    this.#memo = memo
  }

  /** Starts a round: what was evaluated before is void. Nothing is evaluated beyond `work`. */
  begin(
    facts: TransactionFacts,
    loadSlot: LoadSlot,
    work = new WorkBudget(MOST_PREDICTION_WORK),
  ): void {
    this.#facts = facts
    this.#loadSlot = loadSlot
    this.#work = work
    this.#round = ++this.#lastRound
  }

  /** Runs `run` with the facts of a call; afterwards the caller's round goes on. */
  within<Result>(facts: TransactionFacts, run: () => Result): Result {
    const [outerFacts, outerRound] = [this.#facts, this.#round]
    this.#facts = facts
    this.#round = ++this.#lastRound
    const result = run()
    this.#facts = outerFacts
    this.#round = outerRound
    return result
  }

  /** Evaluates `node` if this round has not; its value is valid until the next round. */
  evaluate(node: ProgramNode): Worth {
    // A call may have evaluated the nodes of its caller's own template since.
    if (node.round === this.#round || node.round === EVERY_ROUND) return node.worth
    node.round = this.#round
    node.worth = this.#compute(node)
    return node.worth
  }

  #compute(node: ProgramNode): Worth {
    if (this.#work.isSpent) return WORTH.ABSENT
    this.#work.spend(WORK.NODE)
    const { expression, operands, value } = node
    for (const operand of operands) {
      const worth = this.evaluate(operand)
      if (worth !== WORTH.KNOWN) return worth
    }
    switch (expression.form) {
      case 'sender':
        return give(value, this.#facts.sender, WORTH.UNKNOWN)
      case 'to':
        return give(value, this.#facts.to, WORTH.ABSENT)
      case 'coinbase':
        return give(value, this.#facts.coinbase, WORTH.ABSENT)
      case 'value':
        if (((this.#facts.unknown ?? 0) & UNKNOWN_VALUE) !== 0) return WORTH.ABSENT
        writeBigWord(value, this.#facts.value)
        return WORTH.KNOWN
      case 'data':
        return this.#data(value, expression.offset, expression.size)
      case 'keccak': {
        const scratch = this.#memo.scratch
        let at = 0
        for (let part = 0; part < operands.length; part++) {
          const word = operands[part]!.value
          for (let i = WORD - expression.parts[part]!.size; i < WORD; i++) scratch[at++] = word[i]!
        }
        // Remembered or not: what is predicted must not hang on what was predicted before.
        this.#work.spend(at < KECCAK_BLOCK ? WORK.HASH : 2 * WORK.HASH)
        this.#memo.hash(at, value)
        return WORTH.KNOWN
      }
      case 'add':
        addWords(value, operands[0]!.value, operands[1]!.value)
        return WORTH.KNOWN
      case 'min':
      case 'max': {
        const isLess = compareBytes(operands[0]!.value, operands[1]!.value) < 0
        value.set(operands[isLess === (expression.form === 'min') ? 0 : 1]!.value)
        return WORTH.KNOWN
      }
      case 'times':
        scaleWord(value, operands[0]!.value, expression.factor)
        return WORTH.KNOWN
      case 'load':
        this.#work.spend(WORK.LOAD)
        return give(value, this.#loadSlot(operands[0]!.address, operands[1]!.value), WORTH.UNKNOWN)
      case 'bytes': {
        const { skip, size } = expression
        const word = operands[0]!.value
        for (let i = 0; i < WORD - size; i++) value[i] = 0
        for (let i = 0; i < size; i++) value[WORD - size + i] = word[skip + i]!
        return WORTH.KNOWN
      }
      default:
        return WORTH.KNOWN
    }
  }

  /** Calldata that ends within the word goes on with zeros, as `CALLDATALOAD` has it. */
  #data(value: Uint8Array, offset: number, size: number): Worth {
    const { data, unknown = 0 } = this.#facts
    if (offset >= data.length) return WORTH.ABSENT
    if (unknown !== 0 && touchesUnknown(unknown, offset, size)) return WORTH.ABSENT
    for (let i = 0; i < WORD - size; i++) value[i] = 0
    const present = Math.min(size, data.length - offset)
    for (let i = 0; i < present; i++) value[WORD - size + i] = data[offset + i]!
    for (let i = present; i < size; i++) value[WORD - size + i] = 0
    return WORTH.KNOWN
  }
}

/** Whether a piece of calldata lies in an argument that is not known. */
function touchesUnknown(unknown: number, offset: number, size: number): boolean {
  const last = Math.min(MOST_UNKNOWN - 1, (offset + size - 5) >> 5)
  for (let k = Math.max(0, (offset - 4) >> 5); k <= last; k++) {
    if ((unknown & (1 << k)) !== 0) return true
  }
  return false
}

function give(value: Uint8Array, known: Uint8Array | undefined, otherwise: Worth): Worth {
  if (known === undefined || known.length > WORD) return otherwise
  copyPadded(value, known)
  return WORTH.KNOWN
}
