// The names of the schedulers, for whoever checks them before the executor is loaded.
// The authority on what the config and the benchmark take; a test holds that it is what src/ takes.
// Must not import anything: every Hardhat command resolves the config.

export const SCHEDULERS = ['auto', 'graph', 'optimistic', 'sequential'] as const
export type SchedulerName = (typeof SCHEDULERS)[number]

/** Those whose reports have a graph and hot locations; `auto` is `graph` where a block is not tiny. */
export const PREDICTING_SCHEDULERS: readonly SchedulerName[] = ['auto', 'graph']
