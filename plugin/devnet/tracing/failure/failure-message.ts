// What is said of an execution that failed, in the words that Hardhat's users match.
// The authority on those sentences where nothing is known of the contract; explain-frame.ts knows more.
// Must not run anything.
import type { EVMError } from '@ethereumjs/evm'
import { bytesToHex } from '@ethereumjs/util'

import { decodeRevert } from '../revert-reason.ts'
import { panicText } from './panic-text.ts'

export const VM_EXCEPTION = 'VM Exception while processing transaction: '
export const NO_REASON = 'Transaction reverted without a reason string'
export const CODE_TOO_LARGE =
  'Transaction reverted: trying to deploy a contract whose code is too large'
export const OUT_OF_GAS = 'Transaction ran out of gas'

/** For an error of the EVM and what was returned with it. */
export function failureMessage(
  error: EVMError['error'] | 'max call depth exceeded',
  output: Uint8Array,
): string {
  if (error === 'out of gas' || error === 'code store out of gas') return OUT_OF_GAS
  if (error === 'code size to deposit exceeds maximum code size') return CODE_TOO_LARGE
  if (error === 'invalid opcode') return `${VM_EXCEPTION}invalid opcode`
  return error === 'revert' ? revertMessage(output) : NO_REASON
}

/** Of data that nobody knows more of. */
export function revertMessage(output: Uint8Array): string {
  const decoded = decodeRevert(output)
  switch (decoded.kind) {
    case 'empty':
      return NO_REASON
    case 'reason':
      return `${VM_EXCEPTION}reverted with reason string '${decoded.reason}'`
    case 'panic':
      return `${VM_EXCEPTION}${panicText(decoded.code)}`
    case 'other':
      return `${VM_EXCEPTION}reverted with an unrecognized custom error (return data: ${bytesToHex(output)})`
  }
}
