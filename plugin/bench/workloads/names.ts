// The names of the workloads, in the order in which they run.
// The authority on what --workload accepts.
// Must not import anything: option parsing needs the names without loading ethereumjs.
export const WORKLOAD_NAMES = [
  'mainnet',
  'transfers',
  'erc20',
  'erc20-hot',
  'amm',
  'mint',
  'mixed',
] as const

export type WorkloadName = (typeof WORKLOAD_NAMES)[number]
