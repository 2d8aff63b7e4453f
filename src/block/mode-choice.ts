// Chooses, with the scheduler `auto`, whether a planned block runs in parallel or inline. Authority on what
// earlier blocks say of that: costs of a unit of gas on workers and on the calling thread.

import type { Outlook } from './plan-graph.ts'

/** How much of each new measurement is believed. */
const NEWS = 0.3
/** Inline has to promise this much more than the other: a wrong choice costs more than it saves. */
const MARGIN = 1.1

/** Predicted speed-up above which inline is not thought of. */
const WORTH_THREADS = 1.2
/**
 * Of blocks below, one in so many is run the other way than the costs say: these change with the state,
 * and a process that has just started measures its compiler.
 */
const TRIAL_INTERVAL = 32
/** The first trial: after so many blocks the code is compiled. */
const FIRST_TRIAL = 8

export class ModeChoice {
  readonly #workers: number
  readonly #maxDependencyDepth: number
  /** ms per unit of gas limit on the path that bounds the block; undefined before the first block. */
  #parallelCost: number | undefined
  #inlineCost: number | undefined
  /** Blocks so far of which the prediction said that threads have nothing to gain. */
  #serialBlocks = 0

  constructor(workers: number, maxDependencyDepth: number) {
    this.#workers = workers
    this.#maxDependencyDepth = maxDependencyDepth
  }

  /** Why a block should run inline, in one sentence, or undefined if in parallel. */
  whyInline(outlook: Outlook): string | undefined {
    const { levels, totalGas } = outlook
    if (levels > this.#maxDependencyDepth) {
      return `its longest predicted chain has ${levels} transactions, above maxDependencyDepth`
    }
    const path = this.#path(outlook)
    const speedUp = totalGas / path
    // Elsewhere threads have something to gain, and inline would have to execute twice as fast.
    if (this.#parallelCost === undefined || speedUp > WORTH_THREADS) return undefined
    const chance = `predicted speed-up ${speedUp.toFixed(2)}`
    const isTrial = ++this.#serialBlocks % TRIAL_INTERVAL === FIRST_TRIAL
    const inline = totalGas * (this.#inlineCost ?? Number.POSITIVE_INFINITY)
    const isCheaper = inline * MARGIN < path * this.#parallelCost
    if (isCheaper === isTrial) return undefined
    return isTrial
      ? `${chance}: inline is tried, to compare`
      : `${chance}: inline took less for such blocks`
  }

  /** A block took `ms` from its plan to the last write to the state manager. */
  learn(mode: 'parallel' | 'inline', outlook: Outlook, ms: number): void {
    if (mode === 'inline') this.#inlineCost = mix(this.#inlineCost, ms / outlook.totalGas)
    else this.#parallelCost = mix(this.#parallelCost, ms / this.#path(outlook))
  }

  /** Gas that must be executed one after the other, at the least. */
  #path({ criticalGas, totalGas }: Outlook): number {
    return Math.max(criticalGas, totalGas / this.#workers)
  }
}

function mix(known: number | undefined, news: number): number {
  return known === undefined ? news : known + (news - known) * NEWS
}
