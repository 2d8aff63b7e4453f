// Looks at the execution under way wherever stock's interpreter charges gas, in this thread only; the
// step loop, which charges for itself, looks by itself.
// Authority on how much may be executed between two looks. Must change nothing else: gas is stock's.

import { internalError } from '../errors.ts'
import { checkSpeculation } from './speculation.ts'
import type { InterpreterPrototype } from './stock-interpreter.ts'

/** Charges between two looks at the clock: a tenth of a millisecond of cheap opcodes. */
const CHARGES = 1_000
/** A charge of more gas counts as so many: what it pays for (a call, hashing) can take long. */
const LARGE_CHARGE = 2_000n

/** Before the patched interpreter runs anything. @throws ParallelError INTERNAL */
export function patchCharges(prototype: InterpreterPrototype): void {
  const { useGas } = prototype
  if (typeof useGas !== 'function') {
    throw internalError('this version of @ethereumjs/evm charges gas in another way')
  }
  let left = CHARGES
  prototype.useGas = function (amount, context) {
    left--
    if (left < 0 || amount > LARGE_CHARGE) {
      left = CHARGES
      checkSpeculation(this._evm)
    }
    useGas.call(this, amount, context)
  }
}
