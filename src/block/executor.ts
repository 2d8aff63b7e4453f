// The executor: a pool, its memory, and a queue of blocks. Authority on its life; one block runs at a
// time, whoever asks, since a block uses all workers and all of the memory. Who asks from within a block,
// in one of its listeners, must not wait for the block that waits for the listener.

import { AsyncLocalStorage } from 'node:async_hooks'
import type { BuildBlockOpts, VM } from '@ethereumjs/vm'
import {
  describeTemplates,
  exportTemplates,
  importTemplates,
  type TemplatesJson,
} from '../access/template-json.ts'
import { TemplateLibrary } from '../access/template-library.ts'
import { ParallelError } from '../errors.ts'
import { type ParallelOptions, type ResolvedOptions, resolveOptions } from '../options.ts'
import type { FlatData } from '../state/flat-data.ts'
import { loadKeccak } from '../state/keccak.ts'
import { WorkerPool } from '../workers/pool.ts'
import { ParallelBlockBuilder } from './block-builder.ts'
import { BlockMemory } from './block-memory.ts'
import type { Foresight } from './block-planner.ts'
import { checkParent } from './later-root.ts'
import { ModeChoice } from './mode-choice.ts'
import type { ParallelSettings } from './parallel-settings.ts'
import {
  type ParallelRunBlockOpts,
  type ParallelRunBlockResult,
  runBlockWith,
} from './run-block.ts'
import { listRootOnWorkers } from './shared-list-root.ts'
import { hashOnWorkers } from './shared-root.ts'

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
   * Like `buildBlock` of `@ethereumjs/vm`: begins a block on top of `opts.parentBlock`, in a checkpoint of
   * the VM's state. The builder is stock's, and has `addTransactions` besides, which executes on this
   * executor's workers.
   * @throws what stock throws
   * @throws ParallelError `PARENT_REFUSED` if the parent ran with `pipeline` and had another state root
   */
  buildBlock(vm: VM, opts: BuildBlockOpts): Promise<ParallelBlockBuilder>
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
  /** Turns that are not over, waiting ones too. */
  #turns = 0
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
    return this.#inTurn(async (whySequential, end) => {
      const settings = await this.#settings(whySequential, end)
      return runBlockWith(vm, options, this.#options.scheduler, settings)
    })
  }

  async buildBlock(vm: VM, opts: BuildBlockOpts): Promise<ParallelBlockBuilder> {
    const builder = new ParallelBlockBuilder(vm, opts, {
      lease: (work) =>
        this.#inTurn(async (whySequential) => {
          const settings = await this.#settings(whySequential, () => {})
          return work({
            scheduler: this.#options.scheduler,
            settings: () => ({ ...settings, memory: this.#memory }),
            renewMemory: () => this.#renewMemory(),
          })
        }),
      hash: (flat) => this.#hash(flat),
      listRoots: (lists) => this.#listRoots(lists),
    })
    await checkParent(vm.stateManager, opts.parentBlock)
    await builder.initState()
    return builder
  }

  /** A root does not wait for a block. What is wrong with the state, it says when it is asked for its root. */
  async #hash(flat: FlatData): Promise<void> {
    if (this.#turns > 0 || this.#closing.signal.aborted) return
    await this.#inTurn(() => hashOnWorkers(flat, this.#pool)).catch(() => {})
  }

  /** These, too, do not wait for a block. */
  async #listRoots(lists: readonly (readonly Uint8Array[])[]): Promise<Uint8Array[]> {
    const rootOn = (pool?: WorkerPool): Promise<Uint8Array[]> =>
      Promise.all(lists.map((values) => listRootOnWorkers(values, pool)))
    if (this.#turns > 0 || this.#closing.signal.aborted) return rootOn()
    return this.#inTurn(() => rootOn(this.#pool)).catch(() => rootOn())
  }

  /**
   * Runs `work` when nobody else has the workers; at once, and without them, where the call comes from a
   * block that has them. `whySequential` then says why. `end` gives them up before `work` has ended.
   */
  #inTurn<T>(work: (whySequential: string | undefined, end: () => void) => Promise<T>): Promise<T> {
    if (this.#isWithinBlock) return this.#watched(() => work(WITHIN_BLOCK, () => {}))
    const { promise: isOver, resolve } = Promise.withResolvers<void>()
    const turn: Turn = { isOver: false }
    this.#turns++
    const end = (): void => {
      if (!turn.isOver) this.#turns--
      turn.isOver = true
      resolve()
    }
    const run = this.#queue
      .then(() => this.#turn.run(turn, () => this.#watched(() => work(undefined, end))))
      .finally(end)
    this.#queue = isOver
    return run
  }

  /** Whether the call comes from a listener of a block that has the workers. */
  get #isWithinBlock(): boolean {
    return this.#turn.getStore()?.isOver === false
  }

  /** Does not use the memory again after an error of ours. */
  async #watched<T>(work: () => Promise<T>): Promise<T> {
    if (this.#closing.signal.aborted) {
      throw new ParallelError('EXECUTOR_CLOSED', 'The executor is closed; make another one')
    }
    try {
      return await work()
    } catch (error) {
      if (error instanceof ParallelError) this.#renewMemory()
      throw error
    }
  }

  /** `whySequential` says why the workers must not be used, if so. */
  async #settings(whySequential: string | undefined, end: () => void): Promise<ParallelSettings> {
    const { scheduler, fallback, workerSetup } = this.#options
    return {
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
