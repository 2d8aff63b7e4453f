// Follows templates from call to call: a router's rules lead to the token's, with arguments filled in.
// Authority on how predictions of called functions are put together, and on where following ends.
// Must not be entered again from the callbacks: there is one evaluator.
import type { AccessSink, Confidence } from './access-sink.ts'
import { CERTAIN } from './access-sink.ts'
import { CallScratch, selectorOf } from './call-shape.ts'
import { type Evaluator, type LoadSlot, WORTH } from './expression-program.ts'
import { evaluateRule, type Template } from './template.ts'
import { confidenceOf, isAdmitted, kindOf, type TemplateEntry } from './template-entry.ts'
import type { TransactionFacts } from './transaction-facts.ts'
import { WORK, WorkBudget } from './work-budget.ts'

/**
 * The hash of an account's code when the prediction is made: {@link NO_CODE} where it has none,
 * undefined where that is not known yet. The argument is valid during the call only.
 */
export type CodeHashOf = (address: Uint8Array) => Uint8Array | undefined

/** What {@link CodeHashOf} answers for an account without code. */
export const NO_CODE = new Uint8Array(0)

/** Calls within calls that are followed. */
const MOST_DEPTH = 8
/** Calls that are followed in all, for one transaction. */
const MOST_CALLS = 64
/** Rules that lead on with less than this are not followed. */
const LEAST_TRUST = 25

export class PredictionWalk {
  readonly #evaluator: Evaluator
  readonly #find: (codeHash: Uint8Array, selector: number) => Template | undefined
  readonly #scratch = Array.from({ length: MOST_DEPTH }, () => new CallScratch())
  #codeHashOf: CodeHashOf | undefined
  #work = new WorkBudget(0)
  #calls = 0
  #isWhole = true
  #isOpen = false

  constructor(
    evaluator: Evaluator,
    find: (codeHash: Uint8Array, selector: number) => Template | undefined,
  ) {
    this.#evaluator = evaluator
    this.#find = find
  }

  /** Whether the last walk knew all that it asked for. */
  get isWhole(): boolean {
    return this.#isWhole
  }

  /** Whether the last walk was led to a function that no template speaks of. */
  get isOpen(): boolean {
    return this.#isOpen
  }

  /** Reports what the template says, and those that it leads to; what is beyond `work` is left out. */
  run(
    template: Template,
    facts: TransactionFacts,
    sink: AccessSink,
    loadSlot: LoadSlot,
    codeHashOf: CodeHashOf | undefined,
    work: WorkBudget,
  ): void {
    this.#codeHashOf = codeHashOf
    this.#work = work
    this.#calls = 0
    this.#isWhole = true
    this.#isOpen = false
    this.#evaluator.begin(facts, loadSlot, work)
    this.#walk(template, facts, sink, CERTAIN, 0)
  }

  #walk(
    template: Template,
    facts: TransactionFacts,
    sink: AccessSink,
    trust: Confidence,
    depth: number,
  ): void {
    const features = template.use(facts)
    this.#work.spend(WORK.CALL)
    for (const entry of template.entries) {
      if (this.#work.isSpent) return
      this.#work.spend(WORK.NODE)
      if (!isAdmitted(entry, features)) continue
      const worth = evaluateRule(entry, this.#evaluator)
      if (worth === WORTH.UNKNOWN) this.#isWhole = false
      if (worth !== WORTH.KNOWN) continue
      this.#work.spend(WORK.REPORT)
      const confidence = Math.floor((trust * confidenceOf(entry)) / 100)
      if (entry.field === 'call') this.#follow(entry, facts, sink, confidence, depth)
      else if (entry.field === 'slot') {
        const { address } = entry.accountNode
        sink.slot(address, entry.keyNode!.value, kindOf(entry), confidence)
      } else sink[entry.field](entry.accountNode.address, kindOf(entry), confidence)
    }
  }

  #follow(
    { call, accountNode, argumentNodes }: TemplateEntry,
    facts: TransactionFacts,
    sink: AccessSink,
    trust: Confidence,
    depth: number,
  ): void {
    const target = accountNode.address
    sink.code(target, 'read', trust)
    if (call!.sendsValue) {
      sink.balance(target, 'delta', trust)
      if (facts.to !== undefined) sink.balance(facts.to, 'write', trust)
    }
    if (this.#codeHashOf === undefined || depth >= MOST_DEPTH || trust < LEAST_TRUST) return
    if (++this.#calls > MOST_CALLS) return
    this.#work.spend(WORK.LOAD)
    const codeHash = this.#codeHashOf(target)
    if (codeHash === undefined) {
      this.#isWhole = false
      return
    }
    if (codeHash.length === 0) return
    const scratch = this.#scratch[depth]!
    const called = scratch.facts(call!, target, argumentNodes, facts, this.#evaluator)
    if (called === undefined) return
    const template = this.#find(codeHash, selectorOf(called.data))
    if (template === undefined || template.isSilent) {
      this.#isOpen = true
      return
    }
    this.#evaluator.within(called, () => this.#walk(template, called, sink, trust, depth + 1))
  }
}
