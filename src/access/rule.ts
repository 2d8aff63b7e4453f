// What a template says: a location that a function touches, or a function that it calls.
// Authority on when two rules are the same one: their text is.
import type { LocationField } from './access-sink.ts'
import { type CallShape, formatCall } from './call-shape.ts'
import type { Expression } from './expression.ts'
import { formatExpression } from './expression-text.ts'

export interface Rule {
  readonly field: LocationField | 'call'
  /** Whose location it is; for a call, the account whose code runs. */
  readonly account: Expression
  /** For a slot, else undefined. */
  readonly key: Expression | undefined
  /** For a call, else undefined. */
  readonly call: CallShape | undefined
}

/** A rule in words: `slot to keccak(sender, 0x1)`, `call data[0] 0xa9059cbb(sender, ?)`. */
export function formatRule({ field, account, key, call }: Rule): string {
  const rest = [key === undefined ? '' : formatExpression(key), call ? formatCall(call) : '']
  return [field, formatExpression(account), ...rest].filter((part) => part !== '').join(' ')
}
