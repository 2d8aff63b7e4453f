// The rules of one function of one contract, checked against executions and extended by what they lack.
// Authority on learning: which rule is credited, when more is learned, when all is forgotten.
// A wrong rule costs time only, so nothing here has to be exact.
import { FLAG_FEATURES, featuresOf } from './call-features.ts'
import { isCallOf } from './call-shape.ts'
import type { Explained } from './explain.ts'
import { type Evaluator, ProgramBuilder, WORTH, type Worth } from './expression-program.ts'
import type { LocationSet } from './location-set.ts'
import type { ObservedCall } from './observation.ts'
import { formatRule } from './rule.ts'
import {
  confidenceOf,
  countHit,
  countMiss,
  type EntryState,
  isAdmitted,
  isBelieved,
  isExcluded,
  kindOf,
  newEntryState,
  type SeenFeatures,
  type TemplateEntry,
} from './template-entry.ts'
import type { TransactionFacts } from './transaction-facts.ts'

/** Longest pause in learning, in uses: 2^8. Silence after forgetting is bounded by it as well. */
export const MOST_PATIENCE = 8
/** Poor predictions in a row, by weight, after which the template is forgotten. */
const MOST_FAILURES = 8
/** Uses that a forgotten template stays silent at first; doubled each time. */
const FIRST_SILENCE = 16

/** What one call did, as its template is checked against it. */
export interface CheckedFrame {
  readonly facts: TransactionFacts
  readonly touched: LocationSet
  /** What follows from the envelope and from the calls that it made: no rule is needed. */
  readonly expected: readonly LocationSet[]
  /** The calls that it made, each different one once. */
  readonly calls: readonly ObservedCall[]
}

/** How one prediction compares with what happened. */
export interface Outcome {
  /** Predicted, and so it happened: locations and calls. */
  readonly right: number
  /** Predicted, and it did not happen. */
  readonly wrong: number
  /**
   * It happened, and no rule says so: positions in the set of touched locations, and behind them
   * positions in the list of calls.
   */
  readonly unexplained: readonly number[]
}

/** What is persisted of a template besides its key. */
export interface TemplateState {
  readonly entries: readonly EntryState[]
  /** Learning has paused this often in a row, each time for twice as long. */
  readonly patience: number
  /** How often all was forgotten. */
  readonly forgotten: number
}

export class Template {
  #entries: TemplateEntry[] = []
  #builder = new ProgramBuilder()
  /** Whether some rule has conditions: only then features are needed to predict. */
  #isConditional = false
  /** What flags calls had so far: a rule that comes late did not hold for all of them. */
  #seen: SeenFeatures = { ones: 0, zeros: 0 }
  #patience = 0
  #forgotten = 0
  #failures = 0
  #uses = 0
  /** No learning before this use. */
  #pausedUntil = 0
  /** No prediction before this use. */
  #silentUntil = 0

  /** A template as it was when {@link state} was taken; it may learn at once. */
  static restore({ entries, patience, forgotten }: TemplateState): Template {
    const template = new Template()
    for (const entry of entries) template.#add({ ...entry })
    template.#patience = patience
    template.#forgotten = forgotten
    template.#isConditional = entries.some((entry) => (entry.missOnes | entry.missZeros) !== 0)
    return template
  }

  get entries(): readonly TemplateEntry[] {
    return this.#entries
  }

  get state(): TemplateState {
    return { entries: this.#entries, patience: this.#patience, forgotten: this.#forgotten }
  }

  /** Whether an observation now would be learned from. */
  get isLearning(): boolean {
    return this.#uses >= this.#pausedUntil
  }

  /** Whether it was forgotten and has nothing to say yet. */
  get isSilent(): boolean {
    return this.#uses < this.#silentUntil
  }

  /** Counts a use, and gives the features that the rules' conditions need to be judged by. */
  use(facts: TransactionFacts): number {
    this.#uses++
    return this.#isConditional ? featuresOf(facts) : 0
  }

  /**
   * Checks every rule against what a call did. `evaluator` must have begun with the values that the
   * execution saw, so that rules are judged, and not how old a value was.
   */
  check(frame: CheckedFrame, evaluator: Evaluator): Outcome {
    const { touched, expected, calls } = frame
    const features = featuresOf(frame.facts)
    const winners: (TemplateEntry | undefined)[] = new Array(touched.size + calls.length)
    const losers: TemplateEntry[] = []
    let [right, wrong] = [0, 0]
    for (const entry of this.#entries) {
      const found = findDone(entry, frame, evaluator)
      if (found === undefined) continue
      if (found.length === 0) {
        if (isExcluded(entry, features)) continue
        if (isBelieved(entry)) wrong++
        countMiss(entry, features)
        this.#isConditional = true
        continue
      }
      if (isAdmitted(entry, features)) right++
      for (const position of found) {
        const other = winners[position]
        const isBetter =
          other === undefined || entry.misses * other.hits < other.misses * entry.hits
        if (isBetter) winners[position] = entry
        if (other !== undefined) losers.push(isBetter ? other : entry)
      }
    }
    const unexplained: number[] = []
    const credited = new Set<TemplateEntry>()
    for (let position = 0; position < winners.length; position++) {
      const winner = winners[position]
      const isCall = position >= touched.size
      if (winner === undefined) {
        if (isCall || !isExpected(touched, position, expected)) unexplained.push(position)
      } else if (!credited.has(winner)) {
        credited.add(winner)
        countHit(winner, isCall ? 'read' : touched.kindAt(position), features)
      }
    }
    // Two rules that come to the same location: the one that also goes wrong is explained away.
    for (const loser of losers) if (loser.misses > 0) loser.hits = Math.max(0, loser.hits - 1)
    if (unexplained.length === 0) this.#remember(features)
    this.#judge(right, wrong, unexplained.length)
    return { right, wrong, unexplained }
  }

  /** What {@link check} does for a call that was predicted exactly, without looking at what it did. */
  confirm(facts: TransactionFacts): void {
    const features = featuresOf(facts)
    for (const entry of this.#entries) {
      if (isAdmitted(entry, features)) countHit(entry, kindOf(entry), features)
    }
    this.#remember(features)
    this.#judge(1, 0, 0)
  }

  /** Adds rules, at most `most` in all: those least often right give way. */
  learn(explained: readonly Explained[], facts: TransactionFacts, most: number): void {
    const features = featuresOf(facts)
    const known = new Set(this.#entries.map(({ text }) => text))
    const news = explained
      .map((each) => ({ ...each, text: formatRule(each.rule) }))
      .filter(({ text }) => !known.has(text))
      // Writes are what others depend on, and calls lead to them; without room, reads stay out.
      .sort((one, other) => Number(isPlainRead(one)) - Number(isPlainRead(other)))
    this.#makeRoom(news.length, most)
    for (const { rule, kind, text } of news) {
      if (this.#entries.length >= most) break
      if (known.has(text)) continue
      known.add(text)
      this.#add(newEntryState(rule, kind, features, this.#seen), text)
    }
    this.#isConditional ||= this.#seen.ones !== 0 || this.#seen.zeros !== 0
    this.#remember(features)
    this.#pausedUntil = this.#uses + (1 << this.#patience) - 1
    this.#patience = Math.min(MOST_PATIENCE, this.#patience + 1)
  }

  #remember(features: number): void {
    const { ones, zeros } = this.#seen
    this.#seen = {
      ones: ones | (features & FLAG_FEATURES),
      zeros: zeros | (~features & FLAG_FEATURES),
    }
  }

  /** A right prediction shortens the next pause; too many poor ones end the template. */
  #judge(right: number, wrong: number, missing: number): void {
    this.#uses++
    if (wrong === 0 && missing === 0) this.#patience = Math.max(0, this.#patience - 1)
    // A template without rules has not gone wrong.
    if (this.#entries.length === 0) return
    const isPoor = wrong > right || missing > right
    this.#failures = isPoor ? this.#failures + 1 : Math.max(0, this.#failures - 2)
    if (this.#failures < MOST_FAILURES) return
    this.#failures = 0
    this.#rebuild([])
    this.#isConditional = false
    this.#seen = { ones: 0, zeros: 0 }
    this.#silentUntil = this.#uses + (FIRST_SILENCE << this.#forgotten)
    this.#pausedUntil = this.#silentUntil
    this.#forgotten = Math.min(MOST_PATIENCE, this.#forgotten + 1)
  }

  #makeRoom(wanted: number, most: number): void {
    const excess = this.#entries.length + wanted - most
    if (excess <= 0) return
    const doubted = this.#entries
      .filter((entry) => !isBelieved(entry))
      .sort((one, other) => confidenceOf(one) - confidenceOf(other))
      .slice(0, excess)
    if (doubted.length > 0) this.#rebuild(this.#entries.filter((each) => !doubted.includes(each)))
  }

  /** The nodes of rules that are gone go with the old builder. */
  #rebuild(entries: readonly EntryState[]): void {
    this.#entries = []
    this.#builder = new ProgramBuilder()
    for (const entry of entries) this.#add(entry)
  }

  #add(state: EntryState, text = formatRule(state)): void {
    const node = this.#builder.node.bind(this.#builder)
    this.#entries.push({
      ...state,
      text,
      accountNode: node(state.account),
      keyNode: state.key === undefined ? undefined : node(state.key),
      argumentNodes: (state.call?.args ?? []).map((arg) => arg && node(arg)),
    })
  }
}

/** Evaluates what a rule's location, or the target of its call, depends on. */
export function evaluateRule(entry: TemplateEntry, evaluator: Evaluator): Worth {
  const worth = evaluator.evaluate(entry.accountNode)
  if (worth !== WORTH.KNOWN || entry.keyNode === undefined) return worth
  return evaluator.evaluate(entry.keyNode)
}

/** Positions at which a call did what the rule says; undefined where the rule says nothing of it. */
function findDone(
  entry: TemplateEntry,
  { facts, touched, calls }: CheckedFrame,
  evaluator: Evaluator,
): number[] | undefined {
  if (evaluateRule(entry, evaluator) !== WORTH.KNOWN) return undefined
  const { address } = entry.accountNode
  const { call, argumentNodes, field } = entry
  if (call === undefined) {
    // Only calls have a shape, and all of them do.
    if (field === 'call') return undefined
    const position = touched.find(field, address, entry.keyNode?.value)
    return position === -1 ? [] : [position]
  }
  const found: number[] = []
  for (let index = 0; index < calls.length; index++) {
    if (isCallOf(call, address, argumentNodes, calls[index]!, facts, evaluator)) {
      found.push(touched.size + index)
    }
  }
  return found
}

function isExpected(
  touched: LocationSet,
  position: number,
  expected: readonly LocationSet[],
): boolean {
  const { field, address, key } = touched.at(position)
  return expected.some((set) => set.find(field, address, key) !== -1)
}

function isPlainRead({ rule, kind }: Explained): boolean {
  return rule.field !== 'call' && kind === 'read'
}
