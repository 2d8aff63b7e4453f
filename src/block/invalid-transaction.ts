// What a worker says of a transaction that is not valid, in the words that stock has for it here.
// Authority on which errors are a transaction's own: a state that cannot be read is none. The worker's
// block is not the one under construction, so what it says of the block is said anew.

import type { Block } from '@ethereumjs/block'
import type { TypedTransaction } from '@ethereumjs/tx'
import { EthereumJSErrorWithoutCode } from '@ethereumjs/util'
import type { VM } from '@ethereumjs/vm'

/** Errors of `runTx` that do not say of which transaction they are. */
const WITHOUT_TRANSACTION = 'value field cannot be negative'

/**
 * The error that stock's `runTx` would throw, where `said` is a worker's for the same transaction on the
 * same state. `undefined`: it is not about the transaction.
 *
 * @param said - Name and message, as the worker encodes them.
 */
export function stockError(
  said: string,
  vm: VM,
  tx: TypedTransaction,
  block: () => Block,
): Error | undefined {
  const message = said.replace(/^\w*Error: /, '')
  if (!isAbout(message, tx)) return undefined
  const start = ` (${vm.errorStr()} -> `
  const at = message.lastIndexOf(start)
  if (at < 0) return EthereumJSErrorWithoutCode(message)
  const what = message.slice(0, at)
  return EthereumJSErrorWithoutCode(`${what}${start}${block().errorStr()} -> ${tx.errorStr()})`)
}

/** Whether an error's message says that `tx` is not valid. */
export function isAbout(message: string, tx: TypedTransaction): boolean {
  return message.startsWith(WITHOUT_TRANSACTION) || message.endsWith(`${tx.errorStr()})`)
}
