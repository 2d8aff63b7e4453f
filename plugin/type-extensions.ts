// What the plugin adds to Hardhat's config types, before and after resolution: the section `parallel`,
// and the mark `parallel` of a network. The authority on their shape; hook-handlers/config.ts checks them.
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

/** Of a network of type `edr-simulated` that this plugin is to run instead of Hardhat. */
export interface ParallelNetworkUserConfig {
  /** Worker threads, an integer from 1 to 64. Default: `parallel.workers`, or else 2. */
  workers?: number
  /**
   * A directory to keep the chain in, from the project's root. Default: memory only. One connection at a
   * time can have it.
   */
  dataDir?: string
}

export interface ParallelNetworkConfig {
  /** Undefined leaves it to the devnet: 2, and no more than cores. */
  workers?: number
  /** Absolute. */
  dataDir?: string
}

declare module 'hardhat/types/config' {
  interface EdrNetworkUserConfig {
    /** `true` or an object: a network of parallel-evm. Default false, save for the one named `parallel`. */
    parallel?: boolean | ParallelNetworkUserConfig
  }

  interface EdrNetworkConfig {
    /** Absent: the network is Hardhat's own. */
    parallel?: ParallelNetworkConfig
  }

  interface HardhatUserConfig {
    parallel?: ParallelUserConfig
  }

  interface HardhatConfig {
    parallel: ParallelConfig
  }
}
