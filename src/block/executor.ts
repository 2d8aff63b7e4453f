// The executor: a pool, its memory, and a queue of blocks. Authority on its life; one block runs at a
// time, whoever asks, since a block uses all workers and all of the memory. Who asks from within a block,
// in one of its listeners, must not wait for the block that waits for the listener.

import { AsyncLocalStorage } from 'node:async_hooks'
import type { VM } from '@ethereumjs/vm'
import {
  describeTemplates,
  exportTemplates,
  importTemplates,
  type TemplatesJson,
} from '../access/template-json.ts'
import { TemplateLibrary } from '../access/template-library.ts'
import { ParallelError } from '../errors.ts'
import { type ParallelOptions, type ResolvedOptions, resolveOptions } from '../options.ts'
import { loadKeccak } from '../state/keccak.ts'
import { WorkerPool } from '../workers/pool.ts'
import { BlockMemory } from './block-memory.ts'
import type { Foresight } from './block-planner.ts'
import { ModeChoice } from './mode-choice.ts'
import {
  type ParallelRunBlockOpts,
  type ParallelRunBlockResult,
  runBlockWith,
} from './run-block.ts'

const WITHIN_BLOCK = 'called by a listener of a block that has the workers'

/** Runs blocks in parallel; see {@link createParallelExecutor}. */
export interface ParallelExecutor {
  /** Worker threads. */
  readonly workers: number
  /**
   * Like `runBlock` of `@ethereumjs/vm`, on this executor's workers. Calls are queued; one that a listener
   * makes while its block has the workers runs at once, with stock's code.
   * @throws what stock throws for an invalid block, the state being what it was before
   * @throws ParallelError `EXECUTOR_CLOSED`, and with `fallback: false` `FALLBACK_DISABLED`
   */
  runBlock(vm: VM, options: ParallelRunBlockOpts): Promise<ParallelRunBlockResult>
  /**
   * What was learned of contracts so far, to be kept and given to another executor as `templates`.
   * Plain data, fit for JSON.
   */
  exportTemplates(): Promise<TemplatesJson>
  /** The same for people: which function touches what, in words, a line for each. */
  describeTemplates(): Promise<string>
  /**
   * Rejects the block that runs and those that wait, then ends all threads. Called by a listener of the
   * block that runs, it resolves at once, and the threads end after the block.
   */
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/**
 * Makes an executor with warm workers, to be reused for many blocks and VMs.
 *
 * @example
 * ```ts
 * const executor = await createParallelExecutor({ workers: 2 })
 * const result = await executor.runBlock(vm, { block })
 * console.log(result.parallel)
 * await executor.close()
 * ```
 * @throws ParallelError `INVALID_OPTION`, `INVALID_TEMPLATES`, `WORKER_SETUP_FAILED`
 */
export async function createParallelExecutor(
  options: ParallelOptions = {},
): Promise<ParallelExecutor> {
  const resolved = resolveOptions(options)
  const executor = new PooledExecutor(resolved)
  try {
    await executor.warm()
  } catch (error) {
    await executor.close()
    throw error
  }
  return executor
}

/** A block's time on the workers, as what is called during it sees it. */
interface Turn {
  isOver: boolean
}

class PooledExecutor implements ParallelExecutor {
  readonly workers: number
  readonly #options: ResolvedOptions
  readonly #pool: WorkerPool
  readonly #closing = new AbortController()
  #foresight: Promise<Foresight> | undefined
  readonly #choice: ModeChoice | undefined
  #memory: BlockMemory
  #queue: Promise<unknown> = Promise.resolve()
  /** Resolves when all state roots that were to be known after their blocks are. */
  #later: Promise<unknown> | undefined
  #closed: Promise<void> | undefined
  readonly #turn = new AsyncLocalStorage<Turn>()

  constructor(options: ResolvedOptions) {
    this.#options = options
    this.workers = options.workers
    if (options.scheduler === 'auto') {
      this.#choice = new ModeChoice(options.workers, options.maxDependencyDepth)
    }
    const threads = options.scheduler === 'sequential' ? 0 : options.workers
    this.#pool = new WorkerPool(threads, options.workerSetup)
    this.#memory = this.#newMemory()
  }

  /** The pool, for fault tests that kill its threads. */
  get pool(): WorkerPool {
    return this.#pool
  }

  async warm(): Promise<void> {
    await this.#foresee()
    if (this.#options.scheduler !== 'sequential')
      await this.#pool.warm(this.#options.startTimeoutMs)
  }

  runBlock(vm: VM, options: ParallelRunBlockOpts): Promise<ParallelRunBlockResult> {
    if (this.#isWithinBlock) return this.#run(vm, options, WITHIN_BLOCK, () => {})
    const { promise: isOver, resolve } = Promise.withResolvers<void>()
    const turn: Turn = { isOver: false }
    const end = (): void => {
      turn.isOver = true
      resolve()
    }
    const work = (): Promise<ParallelRunBlockResult> => this.#run(vm, options, undefined, end)
    const run = this.#queue.then(() => this.#turn.run(turn, work)).finally(end)
    this.#queue = isOver
    return run
  }

  /** Whether the call comes from a listener of a block that has the workers. */
  get #isWithinBlock(): boolean {
    return this.#turn.getStore()?.isOver === false
  }

  /** `whySequential` says why the workers must not be used, if so. */
  async #run(
    vm: VM,
    options: ParallelRunBlockOpts,
    whySequential: string | undefined,
    end: () => void,
  ): Promise<ParallelRunBlockResult> {
    if (this.#closing.signal.aborted) {
      throw new ParallelError('EXECUTOR_CLOSED', 'The executor is closed; make another one')
    }
    const { scheduler, fallback, workerSetup } = this.#options
    try {
      return await runBlockWith(vm, options, scheduler, {
        whySequential,
        memory: this.#memory,
        pool: this.#pool,
        fallback,
        workerSetup,
        foresight: scheduler === 'optimistic' ? undefined : await this.#foresee(),
        limits: this.#options,
        choice: this.#choice,
        signal: this.#closing.signal,
        onDone: (report) => {
          if (report.incidents.length > 0) this.#renewMemory()
          end()
        },
        onLater: (root) => {
          this.#later = Promise.allSettled([this.#later, root])
        },
      })
    } catch (error) {
      if (error instanceof ParallelError) this.#renewMemory()
      throw error
    }
  }

  async exportTemplates(): Promise<TemplatesJson> {
    return exportTemplates((await this.#foresee()).library)
  }

  async describeTemplates(): Promise<string> {
    return describeTemplates((await this.#foresee()).library.templates())
  }

  /** What was learned stays with the executor, from block to block and VM to VM. */
  #foresee(): Promise<Foresight> {
    const { templates } = this.#options
    this.#foresight ??= loadKeccak().then((keccak) => ({
      keccak,
      library:
        templates === undefined ? new TemplateLibrary(keccak) : importTemplates(templates, keccak),
    }))
    return this.#foresight
  }

  close(): Promise<void> {
    this.#closed ??= this.#close()
    // A listener that waits for the end of its own block would wait for ever.
    return this.#isWithinBlock ? Promise.resolve() : this.#closed
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #close(): Promise<void> {
    this.#closing.abort()
    await this.#queue
    await this.#later
    await this.#pool.close()
  }

  /** A worker that died may have left anything behind, so its memory is not used again. */
  #renewMemory(): void {
    this.#memory = this.#newMemory()
  }

  #newMemory(): BlockMemory {
    return new BlockMemory(this.#options.maxStateMiB, this.#options.maxBlockMiB)
  }
}
