// The action of `npx hardhat parallel-bench`: arguments in, exit code out.
// The authority on how the benchmark meets the process: streams, Ctrl-C, exit codes.
// Must not load the benchmark before the arguments have been checked.
import type { HardhatRuntimeEnvironment } from 'hardhat/types/hre'
import type { Result } from 'hardhat/types/utils'
import { errorResult, successfulResult } from 'hardhat/utils/result'

import { type BenchArguments, parseBenchOptions } from '../bench/options.ts'
import type { BenchReport } from '../bench/report.ts'

/** 128 plus the number of SIGINT, as shells report it. */
const INTERRUPTED = 130

/** The report, as a failure where a result differed from stock's; nothing when interrupted. */
export default async function parallelBench(
  given: BenchArguments,
  hre: HardhatRuntimeEnvironment,
): Promise<Result<BenchReport, BenchReport> | undefined> {
  const options = parseBenchOptions(given, hre.config.parallel)
  const { runBench } = await import('../bench/run-bench.ts')
  const { createParallelExecutor } = await import('../../src/index.ts')

  const interrupt = new AbortController()
  const onSignal = (): void => {
    // The second Ctrl-C does not wait for anything.
    if (interrupt.signal.aborted) process.exit(INTERRUPTED)
    interrupt.abort()
  }
  process.on('SIGINT', onSignal)
  try {
    const report = await runBench(options, {
      print: (line) => console.log(line),
      printError: (line) => console.error(line),
      progressStream: process.stderr,
      createExecutor: createParallelExecutor,
      signal: interrupt.signal,
    })
    return report.isEqual ? successfulResult(report) : errorResult(report)
  } catch (error) {
    if (!interrupt.signal.aborted) throw error
    console.error('parallel-bench: interrupted')
    process.exitCode = INTERRUPTED
    return undefined
  } finally {
    process.off('SIGINT', onSignal)
  }
}
