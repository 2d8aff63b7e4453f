// The learned templates, by the code that is called and the function that is asked for.
// Authority on which template a call belongs to and on how many are kept.
// Must not decide results: what it predicts is a start for scheduling and prefetching.
import { ParallelError } from '../errors.ts'
import type { AccessSink } from './access-sink.ts'
import { predictEnvelope } from './envelope.ts'
import { type Explained, explain } from './explain.ts'
import { isConstant } from './expression.ts'
import { Evaluator, type LoadSlot } from './expression-program.ts'
import { HashMemo } from './hash-memo.ts'
import { LocationSet } from './location-set.ts'
import type { Observation } from './observation.ts'
import { type Outcome, Template } from './template.ts'
import type { TransactionFacts } from './transaction-facts.ts'
import { compareBytes, type Keccak } from './word.ts'

export interface TemplateLibraryOptions {
  /** Most templates kept; beyond, those unused for longest go. Default: 4096. */
  readonly maxTemplates?: number
  /** Most rules of one template. Default: 64. */
  readonly maxEntries?: number
}

/** Whether a template spoke, and whether it could say all: `partial` where a slot was not known yet. */
export type Coverage = 'none' | 'partial' | 'whole'

/** Not a selector: no calldata (`receive`), or fewer than four bytes (`fallback`). */
export const NO_DATA = -1
export const SHORT_DATA = -2

/** The function that calldata asks for: its first four bytes as a number, or one of the above. */
export function selectorOf(data: Uint8Array): number {
  if (data.length < 4) return data.length === 0 ? NO_DATA : SHORT_DATA
  return ((data[0]! << 24) | (data[1]! << 16) | (data[2]! << 8) | data[3]!) >>> 0
}

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
  readonly #maxEntries: number
  /** By a few bytes of the key; those who share them are compared whole. */
  readonly #buckets = new Map<number, KeyedTemplate[]>()
  #size = 0
  #clock = 0
  readonly #touched = new LocationSet()
  readonly #expected = new LocationSet()

  constructor(keccak: Keccak, options: TemplateLibraryOptions = {}) {
    this.#keccak = keccak
    this.#evaluator = new Evaluator(new HashMemo(keccak))
    this.#maxTemplates = checkCount('maxTemplates', options.maxTemplates ?? 4096)
    this.#maxEntries = checkCount('maxEntries', options.maxEntries ?? 64)
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
   * repeated. `loadSlot` is asked for the slots that decide where the call goes; it must not call back.
   */
  predict(
    facts: TransactionFacts,
    codeHash: Uint8Array,
    sink: AccessSink,
    loadSlot: LoadSlot,
  ): Coverage {
    const found = this.#find(codeHash, selectorOf(facts.data))
    if (found === undefined || found.template.entries.length === 0) return 'none'
    found.lastUse = ++this.#clock
    this.#evaluator.begin(facts, loadSlot)
    return found.template.predict(facts, this.#evaluator, sink) ? 'whole' : 'partial'
  }

  /**
   * Whether {@link observe} would learn from such a call now: recording an execution costs something,
   * and where a template has just learned, or learns nothing that lasts, it is not worth it.
   */
  isCurious(facts: TransactionFacts, codeHash: Uint8Array): boolean {
    return this.#find(codeHash, selectorOf(facts.data))?.template.isLearning ?? true
  }

  /**
   * Compares what a committed execution touched with what its template says of it, and learns what the
   * template lacks. Returns how they compare; undefined for the first of its kind.
   */
  observe(
    facts: TransactionFacts,
    codeHash: Uint8Array,
    observation: Observation,
  ): Outcome | undefined {
    const selector = selectorOf(facts.data)
    const known = this.#find(codeHash, selector)
    const { template } = known ?? this.#insert(codeHash.slice(), selector, new Template())
    if (known !== undefined) known.lastUse = ++this.#clock
    const accessAt = this.#gather(facts, observation)
    this.#evaluator.begin(facts, (address, key) => {
      const position = this.#touched.find('slot', address, key)
      return position === -1 ? undefined : observation.accesses[accessAt[position]!]!.value
    })
    const outcome = template.check(facts, this.#evaluator, this.#touched, this.#expected)
    if (outcome.unexplained.length > 0 && template.isLearning) {
      const wanted = new Set(outcome.unexplained.map((position) => accessAt[position]))
      const rules = explain(facts, observation, this.#keccak).filter(
        (rule) => wanted.has(rule.position) && !isMadeHere(rule, observation),
      )
      template.learn(rules, facts, this.#maxEntries)
    }
    return known === undefined ? undefined : outcome
  }

  /** Takes over a template, in place of one of the same key. */
  put(codeHash: Uint8Array, selector: number, template: Template): void {
    this.#remove((keyed) => keyed.selector === selector && isSame(keyed.codeHash, codeHash))
    this.#insert(codeHash, selector, template)
  }

  /** Fills the sets of what was touched and what the envelope expects; returns where each came from. */
  #gather(facts: TransactionFacts, { accesses }: Observation): number[] {
    const accessAt: number[] = []
    this.#touched.clear()
    this.#expected.clear()
    predictEnvelope(facts, this.#keccak, this.#expected)
    // The first fee of all makes the coinbase exist; no function has to do with it.
    this.#expected.existence(facts.coinbase, 'write')
    for (let index = 0; index < accesses.length; index++) {
      const { field, address, key, kind } = accesses[index]!
      if (field === 'existence' && kind === 'read') continue
      const position = this.#touched.add(field, address, key, kind)
      accessAt[position] ??= index
    }
    return accessAt
  }

  #find(codeHash: Uint8Array, selector: number): KeyedTemplate | undefined {
    const bucket = this.#buckets.get(bucketOf(codeHash, selector))
    if (bucket === undefined) return undefined
    for (const keyed of bucket) {
      if (keyed.selector === selector && isSame(keyed.codeHash, codeHash)) return keyed
    }
    return undefined
  }

  #insert(codeHash: Uint8Array, selector: number, template: Template): KeyedTemplate {
    if (this.#size >= this.#maxTemplates) this.#forgetOldest()
    const keyed: KeyedTemplate = { codeHash, selector, template, lastUse: ++this.#clock }
    const bucket = bucketOf(codeHash, selector)
    const others = this.#buckets.get(bucket)
    if (others === undefined) this.#buckets.set(bucket, [keyed])
    else others.push(keyed)
    this.#size++
    return keyed
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

/** An account that the execution itself made, at an address that nothing explains: it will not recur. */
function isMadeHere({ account, position }: Explained, { accesses }: Observation): boolean {
  if (!isConstant(account)) return false
  const { address } = accesses[position]!
  return accesses.some(
    (access) =>
      access.field === 'existence' && access.kind === 'write' && isSame(access.address, address),
  )
}

function checkCount(name: string, value: number): number {
  if (Number.isSafeInteger(value) && value >= 1) return value
  throw new ParallelError('INVALID_OPTION', `${name} must be an integer of 1 or more, not ${value}`)
}
