// The language in which templates say where a transaction will go: how a 32-byte word follows from its
// envelope, its calldata and the state. Authority on the forms, their meaning and their limits.
// Must not evaluate anything, nor know how an expression is written as text.
import { compareBytes, leadingZeros, WORD } from './word.ts'

/** A word, 32 bytes, most significant first. As an account, its last 20 bytes count. */
export type Expression =
  | { readonly form: 'constant'; readonly word: Uint8Array }
  | { readonly form: 'sender' | 'to' | 'coinbase' | 'value' }
  /**
   * `size` bytes of calldata from byte `offset` on, right-aligned. Argument k of a function is
   * `{ offset: 4 + 32 * k, size: 32 }`. Where the calldata ends before `offset`, there is no such word.
   */
  | { readonly form: 'data'; readonly offset: number; readonly size: number }
  /** Keccak-256 of the parts in a row: a mapping is two whole words, a dynamic array is one. */
  | { readonly form: 'keccak'; readonly parts: readonly HashedPart[] }
  | { readonly form: 'add' | 'min' | 'max'; readonly left: Expression; readonly right: Expression }
  /** Times a small constant: an element's size in an array. */
  | { readonly form: 'times'; readonly word: Expression; readonly factor: number }
  /** The value of the slot `key` of `account`, as it is when the prediction is made. */
  | { readonly form: 'load'; readonly account: Expression; readonly key: Expression }
  /** `size` bytes of another word from byte `skip` on, right-aligned: a field of a packed slot. */
  | {
      readonly form: 'bytes'
      readonly word: Expression
      readonly skip: number
      readonly size: number
    }

/** The last `size` bytes of a word: 32 for an ABI-encoded one, 20 for a packed address. */
export interface HashedPart {
  readonly word: Expression
  readonly size: number
}

/** Bytes of calldata beyond which nothing is looked for; a transaction may carry megabytes. */
export const MOST_CALLDATA = 1 << 16
/** Bytes that one hash may take: longer preimages are strings and code, not keys. */
export const MOST_HASHED = 256
/** Largest factor of `times`. */
export const MOST_FACTOR = 0xffff
/** Forms in one expression; each level of `load` can double it. */
export const MOST_FORMS = 96

export const SENDER: Expression = { form: 'sender' }
export const TO: Expression = { form: 'to' }
export const COINBASE: Expression = { form: 'coinbase' }
export const VALUE: Expression = { form: 'value' }

/** Argument `k` of an ABI-encoded call. */
export function argument(k: number): Expression {
  return { form: 'data', offset: 4 + WORD * k, size: WORD }
}

export function constant(word: Uint8Array): Expression {
  return { form: 'constant', word }
}

/** The slot of an entry of a mapping that is declared at `slot` (Solidity's storage layout). */
export function mappingEntry(key: Expression, slot: Expression): Expression {
  return {
    form: 'keccak',
    parts: [
      { word: key, size: WORD },
      { word: slot, size: WORD },
    ],
  }
}

/** The address in the low 20 bytes of a word. */
export function addressIn(word: Expression): Expression {
  return { form: 'bytes', word, skip: 12, size: 20 }
}

/** The expressions that this one is made of. */
export function operandsOf(expression: Expression): readonly Expression[] {
  switch (expression.form) {
    case 'keccak':
      return expression.parts.map(({ word }) => word)
    case 'add':
    case 'min':
    case 'max':
      return [expression.left, expression.right]
    case 'times':
    case 'bytes':
      return [expression.word]
    case 'load':
      return [expression.account, expression.key]
    default:
      return []
  }
}

/** How many forms an expression has; counting stops beyond `most`. */
export function countForms(expression: Expression, most = MOST_FORMS): number {
  let count = 1
  for (const operand of operandsOf(expression)) {
    if (count > most) break
    count += countForms(operand, most - count)
  }
  return count
}

/** Whether it is the same for every transaction. */
export function isConstant(expression: Expression): boolean {
  switch (expression.form) {
    case 'constant':
      return true
    case 'sender':
    case 'to':
    case 'coinbase':
    case 'value':
    case 'data':
    case 'load':
      return false
    default:
      return operandsOf(expression).every(isConstant)
  }
}

/** Whether both have the same form throughout. */
export function equalExpressions(one: Expression, other: Expression): boolean {
  if (one === other) return true
  if (one.form !== other.form) return false
  if (one.form === 'constant') {
    return compareBytes(one.word, (other as typeof one).word) === 0
  }
  if (one.form === 'data') {
    const { offset, size } = other as typeof one
    return one.offset === offset && one.size === size
  }
  if (one.form === 'times' && one.factor !== (other as typeof one).factor) return false
  if (one.form === 'bytes') {
    const { skip, size } = other as typeof one
    if (one.skip !== skip || one.size !== size) return false
  }
  if (one.form === 'keccak') {
    const { parts } = other as typeof one
    if (one.parts.length !== parts.length) return false
    if (one.parts.some((part, index) => part.size !== parts[index]!.size)) return false
  }
  const others = operandsOf(other)
  return operandsOf(one).every((operand, index) => equalExpressions(operand, others[index]!))
}

/** Significant bytes of a constant word. */
export function significantBytes(word: Uint8Array): Uint8Array {
  return word.subarray(leadingZeros(word))
}
