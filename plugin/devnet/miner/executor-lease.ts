// The workers that build blocks, shared by all devnets of the process and started when first of use.
// Authority on how long they live. Must not be needed to mine: small blocks do without.
import { createParallelExecutor, type ParallelExecutor } from '../../../src/index.ts'

/** Blocks of fewer transactions are not worth handing over, and most tests never have larger ones. */
const FEWEST_TRANSACTIONS = 16
/**
 * Blocks of so many are worth waiting for workers that are just starting, which takes as long as some
 * hundred transfers on the calling thread; smaller ones go ahead without.
 */
const WORTH_WAITING = 200
/** ms that workers outlive their last devnet: test suites open one after the other. */
const LINGER_MS = 5_000

export interface ExecutorLease {
  /** Undefined where the block is better built without, for now or for good. */
  forBlock(transactions: number): Promise<ParallelExecutor | undefined>
  /** No more blocks will be built. */
  release(): void
}

/** Of all leases of one number of workers. */
interface Shared {
  leases: number
  starting: Promise<ParallelExecutor> | undefined
  ready: ParallelExecutor | undefined
  ending: NodeJS.Timeout | undefined
}

const sharedByWorkers = new Map<number, Shared>()

export function leaseExecutor(workers: number): ExecutorLease {
  const shared = sharedByWorkers.get(workers) ?? {
    leases: 0,
    starting: undefined,
    ready: undefined,
    ending: undefined,
  }
  sharedByWorkers.set(workers, shared)
  shared.leases++
  clearTimeout(shared.ending)
  let isReleased = false
  return {
    forBlock: async (transactions) => {
      if (transactions < FEWEST_TRANSACTIONS) return undefined
      shared.starting ??= start(shared, workers)
      if (transactions >= WORTH_WAITING) return shared.starting
      return shared.ready
    },
    release: () => {
      if (isReleased) return
      isReleased = true
      shared.leases--
      if (shared.leases > 0 || shared.starting === undefined) return
      shared.ending = setTimeout(() => end(shared), LINGER_MS)
      shared.ending.unref()
    },
  }
}

/** Whoever waits gets the error; for those who do not, the next block tries again. */
function start(shared: Shared, workers: number): Promise<ParallelExecutor> {
  const starting = createParallelExecutor({ workers, workerSetup: setupModule() })
  starting.then(
    (executor) => {
      if (shared.starting === starting) shared.ready = executor
    },
    () => {
      if (shared.starting === starting) shared.starting = undefined
    },
  )
  return starting
}

/** The module's file has the ending of this one: .ts in the sources, .js in the built package. */
function setupModule(): URL {
  const ending = new URL(import.meta.url).pathname.endsWith('.ts') ? 'ts' : 'js'
  return new URL(`../kzg/worker-setup.${ending}`, import.meta.url)
}

function end(shared: Shared): void {
  const ended = shared.starting
  shared.starting = undefined
  shared.ready = undefined
  ended?.then((executor) => executor.close()).catch(() => {})
}
