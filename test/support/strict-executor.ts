// The executor of the hand-made tests: workers always where possible, and no rescue by a fallback.
// Authority on these defaults; a suite changes what it is about and says so.
import {
  createParallelExecutor,
  type ParallelExecutor,
  type ParallelOptions,
} from '../../src/index.ts'

/** The setup module that gives workers the KZG backend of the tests' VMs. */
export const kzgSetup = new URL('./worker-setup-kzg.ts', import.meta.url)

export function strictExecutor(options: ParallelOptions = {}): Promise<ParallelExecutor> {
  return createParallelExecutor({
    workers: 2,
    scheduler: 'optimistic',
    fallback: false,
    workerSetup: kzgSetup,
    ...options,
  })
}
