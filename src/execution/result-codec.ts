// Transaction results as bytes: written by the worker that executed, read by the main thread.
// Authority on what of a RunTxResult crosses threads: everything but `execResult.runState`, whose live
// interpreter objects cannot. A tagged encoding, so that fields which a later ethereumjs adds cross too.

import type { Bloom, RunTxResult, TxReceipt } from '@ethereumjs/vm'
import { ValueReader } from './value-reader.ts'
import { ValueWriter } from './value-writer.ts'

/** Fields rebuilt from others by reference, as they are in stock's result. */
const DERIVED_RECEIPT_FIELDS: ReadonlySet<string> = new Set(['bitvector', 'logs'])
const UNSENT_EXECUTION_FIELDS: ReadonlySet<string> = new Set(['runState'])

/** Encodes results into a buffer of its own, reused from result to result. */
export class ResultEncoder {
  readonly #writer = new ValueWriter()

  /** The encoded bytes; valid until the next call. */
  encode(result: RunTxResult): Uint8Array {
    const { receipt, execResult, ...rest } = result
    this.#writer.clear()
    this.#writer.object(rest)
    this.#writer.object(execResult, UNSENT_EXECUTION_FIELDS)
    this.#writer.object(receipt, DERIVED_RECEIPT_FIELDS)
    return this.#writer.written
  }

  /** Encodes why a transaction could not run; for messages only. */
  encodeError(error: unknown): Uint8Array {
    this.#writer.clear()
    this.#writer.value(error instanceof Error ? `${error.name}: ${error.message}` : String(error))
    return this.#writer.written
  }
}

/**
 * Decodes what {@link ResultEncoder.encode} wrote. `bytes` must be private to the caller; every byte
 * array of the result is a copy of its own, as in stock. The receipt's cumulative gas counts this
 * transaction alone: the ordered commit adds what came before.
 */
export function decodeResult(bytes: Uint8Array): RunTxResult {
  const reader = new ValueReader(bytes)
  const result = reader.object()
  const execResult = reader.object()
  const receipt = reader.object()
  result.execResult = execResult
  const bloom = result.bloom as Bloom
  receipt.bitvector = bloom.bitvector
  receipt.logs = (execResult.logs as TxReceipt['logs'] | undefined) ?? []
  result.receipt = receipt
  return result as unknown as RunTxResult
}

/** Decodes what {@link ResultEncoder.encodeError} wrote. */
export function decodeError(bytes: Uint8Array): string {
  return String(new ValueReader(bytes).value())
}
