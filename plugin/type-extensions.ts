// The config section `parallel` as Hardhat's types see it, before and after resolution.
// The authority on the section's shape; hook-handlers/config.ts checks and resolves it.
// Must not contain anything but types.
import 'hardhat/types/config'

import type { SchedulerName } from './scheduler-names.ts'

export type { SchedulerName }

export interface ParallelUserConfig {
  /** Worker threads, an integer from 1 to 64. Default: the cores available. */
  workers?: number
  /**
   * Of every executor that the plugin creates. Default: `auto`, which runs a block on the calling
   * thread where threads cannot pay.
   */
  scheduler?: SchedulerName
  /**
   * A module that gives function-valued EVM options inside workers: a path from the project's root,
   * or a file URL. Default: none. The benchmark runs plain EVMs and does not load it.
   */
  workerSetup?: string | URL
}

export interface ParallelConfig {
  workers: number
  scheduler: SchedulerName
  /** A file URL. */
  workerSetup?: string
}

declare module 'hardhat/types/config' {
  interface HardhatUserConfig {
    parallel?: ParallelUserConfig
  }

  interface HardhatConfig {
    parallel: ParallelConfig
  }
}
