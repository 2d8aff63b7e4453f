// Main's side of the interleaver: starts threads, gives them one schedule after the other, and holds
// what they leave in memory to the laws. Authority on what a seed means.

import { Worker } from 'node:worker_threads'
import { CONTROL } from '../../../src/memory/layout.ts'
import { collidingAddresses } from '../../support/colliding-keys.ts'
import type { MutantName } from '../mutants.ts'
import { checkBlock } from './block-check.ts'
import { clearMemory, createMemory, type MemoryBuffers, prepareBlock } from './block-memory.ts'
import { createJournalBuffer, Journal } from './journal.ts'
import type { Violation } from './laws.ts'
import { checkLists, prepareLists } from './list-schedule.ts'
import { Random, randomState } from './random.ts'
import { SCENARIO, type Scenario, scenarioOf } from './scenarios.ts'
import {
  clearViolation,
  createStageBuffers,
  FIRST_CLEARED,
  GO,
  MOST_THREADS,
  nextEpoch,
  OUTCOME,
  readViolation,
  STAGE,
  type StageBuffers,
  THREAD,
  threadIndex,
} from './stage.ts'
import { drawStrategy } from './strategies.ts'
import { checkTable } from './table-schedule.ts'
import type { ThreadData } from './thread-entry.ts'
import { drawPool } from './toy-pool.ts'
import { drawProgram, type ToyProgram } from './toy-program.ts'

/** Far more than any schedule takes: the longest seen take a tenth of it. */
const BUDGET = 100_000
/** Real time for one schedule, should threads wait for each other forever outside of the protocol. */
const PATIENCE_MS = 5 * 60_000
/** Threads make much garbage and hold little; without a limit they let it lie. */
const THREAD_MEMORY = { maxOldGenerationSizeMb: 128, maxYoungGenerationSizeMb: 8 }
const TABLE_SEED = 0x1234567
/** About what a schedule takes, for placing preemptions. */
const BLOCK_STEPS = 800
const SMALL_STEPS = 150

/** Totals of the counters in the control region. */
export interface Counts {
  transactions: number
  executions: number
  aborts: number
  estimateWaits: number
  baseWaits: number
}

export interface ScheduleReport {
  seed: number
  violation: Violation | undefined
  steps: number
  switches: number
  /** What happened, so that one sees that schedules are not all harmless. */
  counts: Counts
  /** One number for the course of the schedule, equal for equal courses. */
  digest: number
  /** The course of a schedule that broke a law. */
  journal: string[]
}

export class Controller {
  readonly #mutant: MutantName | undefined
  readonly #stage: StageBuffers = createStageBuffers()
  readonly #words = new Int32Array(this.#stage.words)
  readonly #memory: MemoryBuffers
  readonly #journalBuffer = createJournalBuffer()
  readonly #journal = new Journal(this.#journalBuffer, this.#words)
  #threads: Worker[] = []
  #death: Error | undefined

  constructor(mutant?: MutantName) {
    this.#mutant = mutant
    const plain = [3, 4].map((name) => new Uint8Array(20).fill(name))
    this.#memory = createMemory(TABLE_SEED, [...collidingAddresses(TABLE_SEED), ...plain])
  }

  /** Runs the schedule of a seed. */
  async run(seed: number, scenario: Scenario = scenarioOf(seed)): Promise<ScheduleReport> {
    this.#ensureThreads()
    const words = this.#words
    const program = await programOf(seed, scenario)
    this.#prepare(seed, scenario, program)
    const outcome = await this.#perform()
    let violation = readViolation(this.#stage.text)
    if (outcome === OUTCOME.ENDED) violation ??= await this.#check(scenario, program)
    else await this.close()
    return {
      seed,
      violation,
      steps: words[STAGE.STEPS],
      switches: words[STAGE.SWITCHES],
      counts: this.#counts(scenario),
      digest: (this.#journal.digest() ^ Math.imul(words[STAGE.STEPS], 31)) | 0,
      journal: violation === undefined ? [] : this.#journal.lines(),
    }
  }

  /** Ends all threads; a later schedule starts new ones. */
  async close(): Promise<void> {
    const threads = this.#threads
    this.#threads = []
    await Promise.all(threads.map((thread) => thread.terminate()))
  }

  #counts(scenario: Scenario): Counts {
    const control = new Int32Array(this.#memory.control)
    const count = (word: number): number => (isBlock(scenario) ? control[word] : 0)
    return {
      transactions: count(CONTROL.TRANSACTION_COUNT),
      executions: count(CONTROL.EXECUTIONS),
      aborts: count(CONTROL.FAILED_VALIDATIONS),
      estimateWaits: count(CONTROL.ESTIMATE_WAITS),
      baseWaits: count(CONTROL.BASE_WAITS),
    }
  }

  #ensureThreads(): void {
    if (this.#threads.length > 0) return
    this.#death = undefined
    const epoch = Atomics.load(this.#words, STAGE.EPOCH)
    for (let thread = 0; thread < MOST_THREADS; thread++) {
      const data: ThreadData = {
        thread,
        stage: this.#stage,
        memory: this.#memory,
        journal: this.#journalBuffer,
        mutant: this.#mutant,
        epoch,
      }
      const worker = new Worker(new URL('./thread-entry.ts', import.meta.url), {
        workerData: data,
        resourceLimits: THREAD_MEMORY,
      })
      worker.on('error', (error) => {
        this.#death ??= error instanceof Error ? error : new Error(String(error))
      })
      this.#threads.push(worker)
    }
  }

  #prepare(seed: number, scenario: Scenario, program: ToyProgram | undefined): void {
    const words = this.#words
    words.fill(0, FIRST_CLEARED)
    const random = new Random(seed)
    words[STAGE.SEED] = seed
    words[STAGE.SCENARIO] = scenario
    words[STAGE.RANDOM] = randomState(seed)
    words[STAGE.BUDGET] = BUDGET
    words[STAGE.THREADS] =
      program === undefined ? 2 + random.below(2) : program.workers + (program.served ? 1 : 0)
    drawStrategy(words, random, program === undefined ? SMALL_STEPS : BLOCK_STEPS)
    clearViolation(this.#stage.text)
    this.#journal.clear()
    clearMemory(this.#memory)
    if (program !== undefined) prepareBlock(this.#memory, program)
    if (scenario === SCENARIO.LISTS) prepareLists(this.#memory)
  }

  async #perform(): Promise<number> {
    const words = this.#words
    const first = words[STAGE.SEED] % words[STAGE.THREADS]
    Atomics.store(words, STAGE.EPOCH, nextEpoch(words[STAGE.EPOCH], words[STAGE.THREADS]))
    Atomics.notify(words, STAGE.EPOCH)
    Atomics.store(words, threadIndex(first, THREAD.GO), GO.YES)
    Atomics.notify(words, threadIndex(first, THREAD.GO))
    const started = performance.now()
    for (;;) {
      const waiting = Atomics.waitAsync(words, STAGE.OUTCOME, OUTCOME.RUNNING, 1000)
      if (waiting.async) await waiting.value
      const outcome = Atomics.load(words, STAGE.OUTCOME)
      if (outcome !== OUTCOME.RUNNING) return outcome
      const detail = this.#death?.stack
      if (detail === undefined && performance.now() - started < PATIENCE_MS) continue
      const text = detail ?? `no end after ${PATIENCE_MS} ms and ${words[STAGE.STEPS]} steps`
      throw new Error(`the interleaver itself failed with seed ${words[STAGE.SEED]}: ${text}`)
    }
  }

  async #check(
    scenario: Scenario,
    program: ToyProgram | undefined,
  ): Promise<Violation | undefined> {
    if (program !== undefined) return checkBlock(this.#memory, program)
    if (scenario === SCENARIO.TABLE) return checkTable(this.#memory)
    // Who follows notices has followed all of them, or still sleeps.
    return scenario === SCENARIO.LISTS ? checkLists(this.#memory) : undefined
  }
}

async function programOf(seed: number, scenario: Scenario): Promise<ToyProgram | undefined> {
  if (scenario === SCENARIO.POOL) return drawPool(seed)
  return scenario === SCENARIO.BLOCK ? drawProgram(seed) : undefined
}

function isBlock(scenario: Scenario): boolean {
  return scenario === SCENARIO.BLOCK || scenario === SCENARIO.POOL
}

/** What a violation says. */
export function describeReport(report: ScheduleReport): string {
  const { violation, seed } = report
  if (violation === undefined) return `seed ${seed}: all laws hold`
  return `seed ${seed} breaks the law that ${violation.law}:\n  ${violation.detail}`
}
