// The action of `npx hardhat parallel-bench`: arguments in, exit code out.
// The authority on how the benchmark meets the process: streams, Ctrl-C, exit codes.
// Must not load the benchmark before the arguments have been checked.
import type { HardhatRuntimeEnvironment } from 'hardhat/types/hre'
import type { HardhatPlugin } from 'hardhat/types/plugins'
import type { Result } from 'hardhat/types/utils'
import { errorResult, successfulResult } from 'hardhat/utils/result'

import type { AgainstReport } from '../bench/against/run-against-hardhat.ts'
import { type BenchArguments, parseAgainstOptions, parseBenchOptions } from '../bench/options.ts'
import type { BenchReport } from '../bench/report.ts'
import { pluginError } from '../plugin-error.ts'
import { PLUGIN_ID } from '../plugin-id.ts'

/** 128 plus the number of SIGINT, as shells report it. */
const INTERRUPTED = 130

/** The report, as a failure where a result differed from stock's; nothing when interrupted. */
export default async function parallelBench(
  given: BenchArguments,
  hre: HardhatRuntimeEnvironment,
): Promise<Result<BenchReport | AgainstReport, BenchReport> | undefined> {
  const against = parseAgainstOptions(given)
  const options = parseBenchOptions(given, hre.config.parallel)

  const interrupt = new AbortController()
  const onSignal = (): void => {
    // The second Ctrl-C does not wait for anything.
    if (interrupt.signal.aborted) process.exit(INTERRUPTED)
    interrupt.abort()
  }
  process.on('SIGINT', onSignal)
  try {
    if (against !== undefined) {
      const { runAgainstHardhat } = await import('../bench/against/run-against-hardhat.ts')
      const print = (line: string) => console.log(line)
      return successfulResult(
        await runAgainstHardhat(pluginOf(hre), against, print, interrupt.signal),
      )
    }
    const { runBench } = await import('../bench/run-bench.ts')
    const { createParallelExecutor } = await import('../../src/index.ts')
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

/** This plugin, as the user's environment has it: networks of an environment of their own need it too. */
function pluginOf(hre: HardhatRuntimeEnvironment): HardhatPlugin {
  const plugin = hre.config.plugins.find(({ id }) => id === PLUGIN_ID)
  if (plugin === undefined) throw pluginError('the plugin is not among those of the environment')
  return plugin
}
