// Collects from time to time, and finds out how often that is worth it.
// Authority on interval and threshold; must not keep a process alive, and must not collect itself.

import { type AutoGcConfig, type ResolvedAutoGc, resolveAutoGc } from './store-options.ts'

/** What happened from one look to the next. */
export interface Growth {
  /** Versions written, and versions that the collections since removed. */
  readonly written: number
  readonly removed: number
}

export interface Pace {
  readonly intervalSecs: number
  readonly versionThreshold: number
}

/** How far adaptation goes from what was configured, both ways. */
const MOST_FACTOR = 8
/** A collection that removes less than this part of what was written was too early. */
const LITTLE = 0.25

/** The next pace, after `growth` within one interval of `pace`. */
export function adaptPace(pace: Pace, growth: Growth, config: ResolvedAutoGc): Pace {
  const size = config.versionThreshold || 10_000
  if (growth.written > 2 * size) {
    // More than two thresholds within one interval: look sooner. Collections were worth it, or some
    // reader holds everything, and then more of them would be for nothing.
    return scaled(pace, config, 0.5, growth.removed < LITTLE * growth.written ? 2 : 1)
  }
  if (growth.written < size / 2 || growth.removed < LITTLE * growth.written) {
    return scaled(pace, config, 2, growth.removed < LITTLE * growth.written ? 2 : 1)
  }
  // Back towards what was configured.
  return {
    intervalSecs: (pace.intervalSecs + config.intervalSecs) / 2,
    versionThreshold: Math.round((pace.versionThreshold + config.versionThreshold) / 2),
  }
}

function scaled(pace: Pace, config: ResolvedAutoGc, interval: number, threshold: number): Pace {
  const within = (value: number, base: number): number =>
    Math.min(base * MOST_FACTOR, Math.max(base / MOST_FACTOR, value))
  return {
    intervalSecs: within(pace.intervalSecs * interval, config.intervalSecs),
    versionThreshold: Math.round(
      within(pace.versionThreshold * threshold, config.versionThreshold),
    ),
  }
}

/** What the automatic collection needs of its store. */
export interface CollectedStore {
  collect(): void
  setThreshold(versions: number): void
  /** Versions written and removed since the store was made. */
  totals(): Growth
}

export class AutoCollector {
  readonly #store: CollectedStore
  #config: ResolvedAutoGc
  #pace: Pace
  #timer: NodeJS.Timeout | undefined
  #before: Growth

  constructor(store: CollectedStore, config: ResolvedAutoGc) {
    this.#store = store
    this.#config = config
    this.#pace = config
    this.#before = store.totals()
    store.setThreshold(config.versionThreshold)
    if (config.runOnStart) store.collect()
    this.#schedule()
  }

  /** As configured, with what is used of interval and threshold now. */
  get pace(): Pace {
    return { ...this.#pace }
  }

  update(config: AutoGcConfig): void {
    this.#config = resolveAutoGc(config, this.#config)
    this.#pace = this.#config
    this.#store.setThreshold(this.#config.versionThreshold)
    this.#schedule()
  }

  stop(): void {
    clearTimeout(this.#timer)
    this.#store.setThreshold(0)
  }

  #schedule(): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#look(), this.#pace.intervalSecs * 1000).unref()
  }

  #look(): void {
    this.#store.collect()
    const totals = this.#store.totals()
    const growth = {
      written: totals.written - this.#before.written,
      removed: totals.removed - this.#before.removed,
    }
    this.#before = totals
    if (this.#config.enableAdaptive) {
      this.#pace = adaptPace(this.#pace, growth, this.#config)
      this.#store.setThreshold(this.#pace.versionThreshold)
    }
    this.#schedule()
  }
}
