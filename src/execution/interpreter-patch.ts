// Lets a call without value not read the caller's balance, in this thread only.
// Stock's interpreter compares the balance with the value before every call and creation; with value
// zero the comparison cannot fail, yet the look at the balance would make every call depend on every
// payment to the contract. Must not change anything else but when an execution is looked at (see
// gas-patch.ts); not used on the main thread.

import { internalError } from '../errors.ts'
import { patchBlooms } from './faster-bloom.ts'
import { patchCharges } from './gas-patch.ts'
import { LazyAccount } from './lazy-account.ts'
import { patchStepping } from './stepping.ts'
import { findStockInterpreter, type InterpreterPrototype } from './stock-interpreter.ts'

let patched: Promise<PatchReport> | undefined

/** What of the interpreter is patched; the rest of {@link patchInterpreter} always is. */
export interface PatchReport {
  /** Whether frames are stepped by our loop; stock's is used where the interpreter is another one. */
  isStepped: boolean
}

/** Patches the interpreter of this thread's copy of ethereumjs, once. @throws ParallelError INTERNAL */
export function patchInterpreter(): Promise<PatchReport> {
  patched ??= patch()
  return patched
}

async function patch(): Promise<PatchReport> {
  const stock = await findStockInterpreter()
  const isStepped = patchStepping(stock)
  patchCharges(stock.prototype)
  patchBlooms()
  patchBalanceChecks(stock.prototype)
  return { isStepped }
}

function patchBalanceChecks(prototype: InterpreterPrototype): void {
  const baseCall = prototype._baseCall
  const create = prototype.create
  if (typeof baseCall !== 'function' || typeof create !== 'function') {
    throw internalError('this version of @ethereumjs/evm has another interpreter')
  }
  prototype._baseCall = function (message) {
    const contract = this._env.contract
    if (
      message.value !== 0n ||
      message.delegatecall === true ||
      !(contract instanceof LazyAccount)
    ) {
      return baseCall.call(this, message)
    }
    // The comparison happens before the method first awaits, that is, before it returns here.
    contract.answerZeroOnce()
    try {
      return baseCall.call(this, message)
    } finally {
      contract.answerTruly()
    }
  }
  prototype.create = function (gasLimit, value, ...rest) {
    const contract = this._env.contract
    if (value !== 0n || !(contract instanceof LazyAccount)) {
      return create.call(this, gasLimit, value, ...rest)
    }
    contract.answerZeroOnce()
    try {
      return create.call(this, gasLimit, value, ...rest)
    } finally {
      contract.answerTruly()
    }
  }
}
