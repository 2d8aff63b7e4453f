// The learned templates, by the code that is called and the function that is asked for.
// Authority on which template a call belongs to and on how many are kept.
// Must not decide results: what it predicts is a start for scheduling and prefetching.
import { ParallelError } from '../errors.ts'
import type { AccessSink } from './access-sink.ts'
import { selectorOf } from './call-shape.ts'
import { explain } from './explain.ts'
import { Evaluator, type LoadSlot } from './expression-program.ts'
import { HashMemo } from './hash-memo.ts'
import { Lesson } from './lesson.ts'
import type { Observation } from './observation.ts'
import { type Frame, framesOf } from './observed-frames.ts'
import { type CodeHashOf, PredictionWalk } from './prediction-walk.ts'
import { type Outcome, Template } from './template.ts'
import type { TransactionFacts } from './transaction-facts.ts'
import { compareBytes, type Keccak } from './word.ts'
import { MOST_LESSON_WORK, MOST_PREDICTION_WORK, WORK, WorkBudget } from './work-budget.ts'

export interface TemplateLibraryOptions {
  /** Most templates kept; beyond, those unused for longest go. Default: 4096. */
  readonly maxTemplates?: number
  /** Most rules of one template. Default: 64. */
  readonly maxEntries?: number
}

/**
 * Whether templates spoke, and whether they could say all. `partial`: a slot or a code hash was not
 * known yet; load it and ask again. `open`: a function is called that no template speaks of.
 */
export type Coverage = 'none' | 'partial' | 'open' | 'whole'

/** A template with what it is found by. */
export interface KeyedTemplate {
  /** 32 bytes: the hash of the called account's code. A proxy's own, whatever it delegates to. */
  readonly codeHash: Uint8Array
  readonly selector: number
  readonly template: Template
  lastUse: number
}

export class TemplateLibrary {
  readonly #keccak: Keccak
  readonly #evaluator: Evaluator
  readonly #maxTemplates: number
  readonly maxEntries: number
  /** By a few bytes of the key; those who share them are compared whole. */
  readonly #buckets = new Map<number, KeyedTemplate[]>()
  #size = 0
  #clock = 0
  readonly #walk: PredictionWalk

  constructor(keccak: Keccak, options: TemplateLibraryOptions = {}) {
    this.#keccak = keccak
    this.#evaluator = new Evaluator(new HashMemo(keccak))
    this.#walk = new PredictionWalk(this.#evaluator, (hash, selector) => this.#find(hash, selector))
    this.#maxTemplates = checkCount('maxTemplates', options.maxTemplates ?? 4096)
    this.maxEntries = checkCount('maxEntries', options.maxEntries ?? 64)
  }

  get size(): number {
    return this.#size
  }

  /** Every template, the one used longest ago first. */
  templates(): KeyedTemplate[] {
    return [...this.#buckets.values()].flat().sort((one, other) => one.lastUse - other.lastUse)
  }

  /**
   * Reports what this function of this code touched before, for this call. The envelope's part is not
   * repeated. `loadSlot` and `codeHashOf` are asked for what decides where the call goes; without the
   * latter, calls are not followed. Neither may call back. What would take more work than one
   * prediction may, or than `allowance` has left, is left out.
   */
  predict(
    facts: TransactionFacts,
    codeHash: Uint8Array,
    sink: AccessSink,
    loadSlot: LoadSlot,
    codeHashOf?: CodeHashOf,
    allowance?: WorkBudget,
  ): Coverage {
    const found = this.#find(codeHash, selectorOf(facts.data))
    if (found === undefined || found.isSilent) return 'none'
    const most = Math.min(MOST_PREDICTION_WORK, allowance?.left ?? MOST_PREDICTION_WORK)
    const work = new WorkBudget(most)
    this.#walk.run(found, facts, sink, loadSlot, codeHashOf, work)
    allowance?.spend(most - work.left)
    if (!this.#walk.isWhole) return 'partial'
    return this.#walk.isOpen ? 'open' : 'whole'
  }

  /** Whether a template would speak of such a call. */
  knows(facts: TransactionFacts, codeHash: Uint8Array): boolean {
    return this.#find(codeHash, selectorOf(facts.data))?.isSilent === false
  }

  /**
   * Whether {@link observe} would learn from such a call now: recording an execution costs something,
   * and where a template has just learned, or learns nothing that lasts, it is not worth it. A call
   * whose prediction was `open` is worth it in any case.
   */
  isCurious(facts: TransactionFacts, codeHash: Uint8Array): boolean {
    return this.#find(codeHash, selectorOf(facts.data))?.isLearning ?? true
  }

  /**
   * Compares what a committed execution did with what the templates say of it, and learns what they
   * lack, until the work that is `allowed` is spent: the outermost call first. Default: that of one
   * lesson for each call. Returns how the outermost one compares; undefined for the first of its kind.
   */
  observe(
    facts: TransactionFacts,
    codeHash: Uint8Array,
    observation: Observation,
    allowed?: WorkBudget,
  ): Outcome | undefined {
    const frames = framesOf(facts, codeHash, observation, this.#keccak)
    const work = allowed ?? new WorkBudget(MOST_LESSON_WORK * frames.length)
    const lesson = new Lesson(observation, work)
    work.spend(WORK.INDEX * observation.accesses.length)
    const [outermost, ...inner] = frames
    const outcome = outermost && this.#learn(outermost, lesson)
    for (const frame of inner) if (!work.isSpent) this.#learn(frame, lesson)
    return outcome
  }

  /**
   * Tells that a committed execution touched exactly what was predicted: as good as observing it, at a
   * fraction of the cost, for callers who have compared that themselves.
   */
  confirm(facts: TransactionFacts, codeHash: Uint8Array): void {
    this.#find(codeHash, selectorOf(facts.data))?.confirm(facts)
  }

  #learn(frame: Frame, lesson: Lesson): Outcome | undefined {
    const { facts, codeHash, touched, calls, accessAt } = frame
    const { work } = lesson
    const selector = selectorOf(facts.data)
    const known = this.#find(codeHash, selector)
    const template = known ?? this.#insert(codeHash.slice(), selector, new Template())
    // Rules are judged whole, with what a prediction may take: a lesson ends between its parts.
    const checking = new WorkBudget(MOST_PREDICTION_WORK)
    this.#evaluator.begin(facts, lesson.loadSlot, checking)
    const outcome = template.check(frame, this.#evaluator)
    work.spend(MOST_PREDICTION_WORK - checking.left)
    if (outcome.unexplained.length > 0 && template.isLearning) {
      const wanted = new Set<unknown>(
        outcome.unexplained.map((position) =>
          position < touched.size ? accessAt[position] : calls[position - touched.size],
        ),
      )
      const news = explain(frame, lesson.hashes, this.#keccak, work).filter(
        (each) => wanted.has(each.access ?? each.call) && !lesson.isMadeHere(each),
      )
      template.learn(news, facts, this.maxEntries)
    }
    return known === undefined ? undefined : outcome
  }

  /** Takes over a template, in place of one of the same key. */
  put(codeHash: Uint8Array, selector: number, template: Template): void {
    this.#remove((keyed) => keyed.selector === selector && isSame(keyed.codeHash, codeHash))
    this.#insert(codeHash, selector, template)
  }

  #find(codeHash: Uint8Array, selector: number): Template | undefined {
    const bucket = this.#buckets.get(bucketOf(codeHash, selector))
    if (bucket === undefined) return undefined
    for (const keyed of bucket) {
      if (keyed.selector !== selector || !isSame(keyed.codeHash, codeHash)) continue
      keyed.lastUse = ++this.#clock
      return keyed.template
    }
    return undefined
  }

  #insert(codeHash: Uint8Array, selector: number, template: Template): Template {
    if (this.#size >= this.#maxTemplates) this.#forgetOldest()
    const keyed: KeyedTemplate = { codeHash, selector, template, lastUse: ++this.#clock }
    const bucket = bucketOf(codeHash, selector)
    const others = this.#buckets.get(bucket)
    if (others === undefined) this.#buckets.set(bucket, [keyed])
    else others.push(keyed)
    this.#size++
    return template
  }

  /** An eighth at once, so that finding the oldest costs little for each template that comes. */
  #forgetOldest(): void {
    const oldest = new Set(this.templates().slice(0, Math.ceil(this.#maxTemplates / 8)))
    this.#remove((keyed) => oldest.has(keyed))
  }

  #remove(isGone: (keyed: KeyedTemplate) => boolean): void {
    for (const [bucket, all] of this.#buckets) {
      const kept = all.filter((keyed) => !isGone(keyed))
      if (kept.length === all.length) continue
      this.#size -= all.length - kept.length
      if (kept.length === 0) this.#buckets.delete(bucket)
      else this.#buckets.set(bucket, kept)
    }
  }
}

function bucketOf(codeHash: Uint8Array, selector: number): number {
  const start = (codeHash[0]! << 24) | (codeHash[1]! << 16) | (codeHash[2]! << 8) | codeHash[3]!
  return start ^ selector
}

function isSame(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && compareBytes(one, other) === 0
}

function checkCount(name: string, value: number): number {
  if (Number.isSafeInteger(value) && value >= 1) return value
  throw new ParallelError('INVALID_OPTION', `${name} must be an integer of 1 or more, not ${value}`)
}
