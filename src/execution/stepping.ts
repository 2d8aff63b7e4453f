// Runs the interpreter's frames with a synchronous inner loop, in this thread only.
// Authority on when a frame is stepped so and when by stock's own code; what single opcodes do is the
// step loop's and stock's. Must change no result: gas, errors, logs, state, order of state accesses.

import { EVMError } from '@ethereumjs/evm'
import { CodeAnalysisCache } from './code-analysis.ts'
import { ENDED, LOADS_SLOT, stepUntilAwait } from './step-loop.ts'
import { isPlain, rulesFor } from './step-rules.ts'
import {
  fingerprint,
  type InterpreterLike,
  type InterpreterPrototype,
  type RunOptions,
  type RunOutcome,
  type StockInterpreter,
} from './stock-interpreter.ts'
import { slotKey } from './storage-steps.ts'
import { bytesToWord } from './word-bytes.ts'

/** {@link fingerprint} of the interpreter that the step loop was written for: @ethereumjs/evm 10.1.3. */
export const KNOWN_FINGERPRINT = '7c363800118e590844ec7c786be91b714cae9648c821567a71374659559d6fd0'

/** Bytes that analyses of code may take per thread. */
const ANALYSIS_BYTES = 64 << 20

type Run = InterpreterPrototype['run']

/**
 * Replaces the interpreter's `run` where it is the one that is known. Before any other patch.
 * @returns whether it was replaced
 */
export function patchStepping(stock: StockInterpreter): boolean {
  if (fingerprint(stock) !== KNOWN_FINGERPRINT) return false
  stock.prototype.run = steppedRun(stock.prototype.run)
  return true
}

/** `run`, stepping synchronously where it may, and by `stockRun` elsewhere. */
export function steppedRun(stockRun: Run): Run {
  const analyses = new CodeAnalysisCache(ANALYSIS_BYTES)
  return async function run(
    this: InterpreterLike & InterpreterPrototype,
    code: Uint8Array,
    options: RunOptions = {},
  ): Promise<RunOutcome> {
    const rules = rulesFor(this, code)
    if (rules === undefined) return stockRun.call(this, code, options)
    const runState = this._runState
    const start = options.pc ?? runState.programCounter
    if (start !== 0) return stockRun.call(this, code, options)
    runState.code = code
    runState.programCounter = start
    const analysis = analyses.of(code)
    try {
      for (;;) {
        const opcode = stepUntilAwait(runState, rules, analysis)
        if (opcode === ENDED) break
        if (opcode === LOADS_SLOT) await loadSlot(this)
        else await this.runStep(rules.entries[opcode])
        // Code of the user's may have attached something meanwhile.
        if (!isPlain(this._evm) && runState.programCounter < code.length) {
          return stockRun.call(this, code, { pc: runState.programCounter })
        }
      }
    } catch (error) {
      if (!isEvmError(error)) throw error
      const exceptionError = error.error === EVMError.errorMessages.STOP ? undefined : error
      return { runState, exceptionError }
    }
    return { runState, exceptionError: undefined }
  }
}

async function loadSlot(interpreter: InterpreterLike): Promise<void> {
  const { stack } = interpreter._runState
  const key = slotKey(stack._store[stack._len - 1])
  const value = await interpreter.storageLoad(key.bytes)
  stack._store[stack._len - 1] = bytesToWord(value)
}

/** As stock tells them from others; a value that is no object makes it throw, here as there. */
function isEvmError(error: unknown): error is EVMError {
  return 'errorType' in (error as object) && (error as EVMError).errorType === EVM_ERROR_TYPE
}
const EVM_ERROR_TYPE = new EVMError(EVMError.errorMessages.STOP).errorType
