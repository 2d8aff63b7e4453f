// The public interface of parallel-evm: everything that may be imported from outside is named here.

export type { TemplatesJson } from './access/template-json.ts'
export type { AddTransactionsOpts } from './block/add-options.ts'
export type { AddTransactionsResult, ParallelBlockBuilder } from './block/block-builder.ts'
export { createParallelExecutor, type ParallelExecutor } from './block/executor.ts'
export {
  identifyTransaction,
  serializeTransaction,
  type TransactionIdentity,
} from './block/identify-transaction.ts'
export type { TransactionListener } from './block/ordered-commit.ts'
export type { IncludedTransaction, SkippedTransaction } from './block/pool-ledger.ts'
export { recoverSenders } from './block/recover-senders.ts'
export type {
  AccessReport,
  BlockPhases,
  BlockReport,
  ConflictCauses,
  GraphReport,
  HotLocation,
} from './block/report.ts'
export type { ParallelRunBlockOpts, ParallelRunBlockResult } from './block/run-block.ts'
export { buildBlock, runBlock } from './block/shared-executor.ts'
export { type CryptoKind, type CryptoName, cryptoKind } from './crypto/secp256k1.ts'
export { ParallelError, type ParallelErrorCode } from './errors.ts'
export {
  type ParallelOptions,
  type ResolvedOptions,
  resolveOptions,
  SCHEDULERS,
  type SchedulerName,
} from './options.ts'
export { createFlatState } from './state/create-flat-state.ts'
export type { Alloc, AllocAccount, ImportOptions, StateKeys } from './state/flat-import.ts'
export type { FlatStateOptions } from './state/flat-options.ts'
export { FlatState } from './state/flat-state.ts'
export type { WorkerSetup, WorkerSetupResult } from './workers/worker-setup.ts'
