// The rules of one function of one contract: emitted as predictions, checked against executions,
// extended by what they lack. Authority on learning: which rule is credited, when more is learned,
// when all is forgotten. A wrong rule costs time only, so nothing here has to be exact.
import type { AccessSink } from './access-sink.ts'
import { FLAG_FEATURES, featuresOf } from './call-features.ts'
import type { Explained } from './explain.ts'
import { type Evaluator, ProgramBuilder, WORTH } from './expression-program.ts'
import { formatExpression } from './expression-text.ts'
import type { LocationSet } from './location-set.ts'
import {
  confidenceOf,
  countHit,
  countMiss,
  type EntryState,
  isBelieved,
  isExcluded,
  kindOf,
  newEntryState,
  type SeenFeatures,
  type TemplateEntry,
} from './template-entry.ts'
import type { TransactionFacts } from './transaction-facts.ts'

/** Longest pause in learning, in uses: 2^8. */
const MOST_PATIENCE = 8
/** Poor predictions in a row, by weight, after which the template is forgotten. */
const MOST_FAILURES = 8

/** How one prediction compares with what happened. */
export interface Outcome {
  /** Predicted and touched. */
  readonly right: number
  /** Predicted and not touched. */
  readonly wrong: number
  /** Touched, and no rule gives it: what could be learned. Positions in the observation. */
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
  /** No learning before this use, and no prediction while there are no rules. */
  #pausedUntil = 0

  get entries(): readonly EntryState[] {
    return this.#entries
  }

  get state(): TemplateState {
    return {
      entries: this.#entries,
      patience: this.#patience,
      forgotten: this.#forgotten,
    }
  }

  /** A template as it was when {@link state} was taken; it may learn at once. */
  static restore({ entries, patience, forgotten }: TemplateState): Template {
    const template = new Template()
    for (const entry of entries) template.#add({ ...entry })
    template.#patience = patience
    template.#forgotten = forgotten
    template.#isConditional = entries.some(
      ({ missOnes, missZeros }) => (missOnes | missZeros) !== 0,
    )
    return template
  }

  /** Whether an observation now would be learned from. */
  get isLearning(): boolean {
    return this.#uses >= this.#pausedUntil
  }

  /** Reports what the rules say; false where something they need is not known yet. */
  predict(facts: TransactionFacts, evaluator: Evaluator, sink: AccessSink): boolean {
    this.#uses++
    const features = this.#isConditional ? featuresOf(facts) : 0
    let isWhole = true
    for (const entry of this.#entries) {
      if (!isBelieved(entry)) continue
      if (this.#isConditional && isExcluded(entry, features)) continue
      const worth = evaluate(entry, evaluator)
      if (worth === WORTH.KNOWN) report(entry, sink)
      else if (worth === WORTH.UNKNOWN) isWhole = false
    }
    return isWhole
  }

  /**
   * Checks every rule against what was touched. `evaluator` must have begun with the values that the
   * execution saw, so that rules are judged, and not how old a value was.
   */
  check(
    facts: TransactionFacts,
    evaluator: Evaluator,
    touched: LocationSet,
    expected: LocationSet,
  ): Outcome {
    const features = featuresOf(facts)
    const winners: (TemplateEntry | undefined)[] = new Array(touched.size)
    const losers: TemplateEntry[] = []
    let [right, wrong] = [0, 0]
    for (const entry of this.#entries) {
      if (evaluate(entry, evaluator) !== WORTH.KNOWN) continue
      const isPredicted = isBelieved(entry) && !isExcluded(entry, features)
      const key = entry.keyNode?.value
      const position = touched.find(entry.field, entry.accountNode.address, key)
      if (position === -1) {
        if (isPredicted) wrong++
        if (!isExcluded(entry, features)) {
          countMiss(entry, features)
          this.#isConditional = true
        }
        continue
      }
      if (isPredicted) right++
      const other = winners[position]
      if (other === undefined) {
        winners[position] = entry
      } else {
        const isBetter = entry.misses * other.hits < other.misses * entry.hits
        winners[position] = isBetter ? entry : other
        losers.push(isBetter ? other : entry)
      }
    }
    const unexplained: number[] = []
    for (let position = 0; position < touched.size; position++) {
      const winner = winners[position]
      if (winner !== undefined) {
        countHit(winner, touched.kindAt(position), features)
        continue
      }
      const { field, address, key } = touched.at(position)
      if (expected.find(field, address, key) === -1) unexplained.push(position)
    }
    // Two rules that come to the same location: the one that also goes wrong is explained away.
    for (const loser of losers) if (loser.misses > 0) loser.hits = Math.max(0, loser.hits - 1)
    if (unexplained.length === 0) this.#remember(features)
    this.#judge(right, wrong, unexplained.length)
    return { right, wrong, unexplained }
  }

  /** Adds rules, at most `most` in all: those least often right give way. */
  learn(explained: readonly Explained[], facts: TransactionFacts, most: number): void {
    const features = featuresOf(facts)
    const known = new Set(this.#entries.map(({ text }) => text))
    const news = explained
      .filter((rule) => !known.has(textOf(rule)))
      // Writes are what others depend on; where there is no room for all, reads stay out.
      .sort((one, other) => Number(one.kind === 'read') - Number(other.kind === 'read'))
    this.#makeRoom(news.length, most)
    for (const rule of news) {
      if (this.#entries.length >= most) break
      const text = textOf(rule)
      if (known.has(text)) continue
      known.add(text)
      this.#add(newEntryState(rule, rule.kind, features, this.#seen))
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
    const isPoor = wrong > right || missing > right
    this.#failures = isPoor ? this.#failures + 1 : Math.max(0, this.#failures - 2)
    if (this.#failures < MOST_FAILURES) return
    this.#failures = 0
    this.#entries = []
    this.#builder = new ProgramBuilder()
    this.#isConditional = false
    this.#forgotten = Math.min(MOST_PATIENCE, this.#forgotten + 1)
    this.#pausedUntil = this.#uses + (16 << this.#forgotten)
  }

  #makeRoom(wanted: number, most: number): void {
    const excess = this.#entries.length + wanted - most
    if (excess <= 0) return
    const doubted = this.#entries
      .filter((entry) => !isBelieved(entry))
      .sort((one, other) => confidenceOf(one) - confidenceOf(other))
      .slice(0, excess)
    if (doubted.length === 0) return
    const gone = new Set(doubted)
    const kept = this.#entries.filter((entry) => !gone.has(entry))
    this.#entries = []
    this.#builder = new ProgramBuilder()
    for (const entry of kept) this.#add(entry)
  }

  #add(state: EntryState): void {
    this.#entries.push({
      ...state,
      text: textOf(state),
      accountNode: this.#builder.node(state.account),
      keyNode: state.key === undefined ? undefined : this.#builder.node(state.key),
    })
  }
}

function textOf({ field, account, key }: Pick<EntryState, 'field' | 'account' | 'key'>): string {
  const slot = key === undefined ? '' : ` ${formatExpression(key)}`
  return `${field} ${formatExpression(account)}${slot}`
}

function evaluate(entry: TemplateEntry, evaluator: Evaluator): number {
  const worth = evaluator.evaluate(entry.accountNode)
  if (worth !== WORTH.KNOWN || entry.keyNode === undefined) return worth
  return evaluator.evaluate(entry.keyNode)
}

function report(entry: TemplateEntry, sink: AccessSink): void {
  const { address } = entry.accountNode
  const [kind, confidence] = [kindOf(entry), confidenceOf(entry)]
  if (entry.field === 'slot') sink.slot(address, entry.keyNode!.value, kind, confidence)
  else sink[entry.field](address, kind, confidence)
}
