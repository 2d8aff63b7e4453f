// The public interface of parallel-evm/engine: the system's parts without an EVM. Everything that may be
// imported from there is named here.

export type { AccessFlags, ConflictKind } from '../access/access-flags.ts'
export type { Key, KeyInput, PrefixInput } from '../access/key.ts'
export { type Conflict, ReadWriteSet } from '../access/read-write-set.ts'
export { StateAccessTracker } from '../access/state-access-tracker.ts'
export { ParallelError, type ParallelErrorCode } from '../errors.ts'
export { ConflictDetector } from '../graph/conflict-detector.ts'
export { DependencyCycleError } from '../graph/dependency-cycle-error.ts'
export { type CriticalPath, DependencyGraph, type FlatGraph } from '../graph/dependency-graph.ts'
export type { DependencyRule } from '../graph/derive-dependencies.ts'
export { ExecuteRoot } from '../graph/execute-root.ts'
export { LevelDag, type LevelDagOptions, NODE_STATE, type NodeState } from '../graph/level-dag.ts'
export type { TransactionId } from '../graph/transaction-id.ts'
export type { Pace } from './auto-collector.ts'
export { AutoScheduler } from './auto-scheduler.ts'
export type { GcStats } from './collector.ts'
export { createScheduler } from './create-scheduler.ts'
export { DagExecutor, type DagExecutorOptions } from './dag-executor.ts'
export {
  type Alert,
  type AlertThresholds,
  type ExecutionCounts,
  ExecutionStats,
} from './execution-stats.ts'
export type { ByteKey } from './key-bytes.ts'
export { MvccScheduler } from './mvcc-scheduler.ts'
export { MvccStore } from './mvcc-store.ts'
export type {
  BeginOptions,
  Isolation,
  MvccTransaction,
  StateView,
} from './mvcc-transaction.ts'
export type { ParallelSchedulerOptions } from './parallel-options.ts'
export { ParallelScheduler } from './parallel-scheduler.ts'
export {
  type BatchResult,
  ENGINE_SCHEDULERS,
  type EngineTransaction,
  type Executor,
  type Picked,
  type Scheduler,
  type SchedulerKind,
  type TransactionFunction,
  type TransactionResult,
} from './scheduler.ts'
export type { SchedulerOptions } from './scheduler-options.ts'
export { type SnapshotId, type StateEvent, StateManager } from './state-manager.ts'
export type { MvccStoreHandle } from './store-core.ts'
export type { AutoGcConfig, MvccStoreOptions } from './store-options.ts'
export { type StealableTask, WorkStealingScheduler } from './work-stealing-scheduler.ts'
export { WriteConflictError } from './write-conflict-error.ts'
