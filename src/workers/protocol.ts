// What the main thread sends to a worker and gets back, as data. Authority on the messages.
// Nothing per transaction is a message: that goes through shared memory.

import type { CryptoName } from '../crypto/secp256k1.ts'
import type { TransactionRules } from '../execution/transaction-runner.ts'
import type { FlatBuffers } from '../state/flat-table.ts'
import type { SerializedError } from './serialized-error.ts'

/** Makes the worker load its modules, so that the first block does not wait for them. */
export interface WarmTask {
  kind: 'warm'
  workerSetup: string | undefined
}

/** One block's work; every worker of the pool gets one and returns when the block is halted. */
export interface BlockTask {
  kind: 'block'
  worker: number
  workers: number
  workerSetup: string | undefined
  /** Changes whenever one of the buffers is another one: what was made over the old is void then. */
  memoryGeneration: number
  control: SharedArrayBuffer
  buckets: SharedArrayBuffer
  seed: number
  state: SharedArrayBuffer
  /** Changes whenever the state region was emptied: copies of its code are void then. */
  stateGeneration: number
  block: SharedArrayBuffer
  /** The user's state where workers may read it; `undefined`: the main thread answers. */
  flat: FlatBuffers | undefined
  headerRlp: Uint8Array
  /** Encoded by `encodeCommon`. */
  vmCommon: string
  blockCommon: string
  transactionCommon: string
  rules: TransactionRules
  evm: EvmData
  lanes: number
}

/** The EVM's options that are data. */
export interface EvmData {
  allowUnlimitedContractSize: boolean
  allowUnlimitedInitCodeSize: boolean
  /** Whether the main thread's EVM has BLS precompiles: it decides that when it is made. */
  bls: boolean
}

/** Signatures to recover, ahead of a block. */
export interface RecoverTask {
  kind: 'recover'
  /** Packed by `packSignature`, in a row. */
  signatures: Uint8Array
}

/** A list to take the root of. */
export interface ListRootTask {
  kind: 'list-root'
  /** Made by `packList`. */
  values: Uint8Array
}

/** Tries of a flat state to hash, in shared memory. */
export interface HashTask {
  kind: 'hash'
  /** The state's. */
  region: SharedArrayBuffer
  /** Made by `cutTries`. */
  parts: SharedArrayBuffer
  /** Which of the helpers it is, from 0. */
  helper: number
}

export type WorkerTask = WarmTask | BlockTask | RecoverTask | ListRootTask | HashTask

/** What a worker says at the end of its task; `parts` is what the user's module gave it, and
 * `collectorMs` how long its garbage collector has stopped it since the last. */
export type WorkerReport =
  | { kind: 'done'; collectorMs: number; crypto: CryptoName; parts: string[] }
  /** As `recoverAll` returns them. */
  | { kind: 'recovered'; keys: Uint8Array }
  /** 32 bytes. */
  | { kind: 'rooted'; root: Uint8Array }
  /** It has left no part of a {@link HashTask} that nobody has begun. */
  | { kind: 'hashed' }
  /** The worker halted the block because of an error that is not a transaction's. */
  | { kind: 'failed'; error: SerializedError }
