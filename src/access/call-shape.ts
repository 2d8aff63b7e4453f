// A call that a function makes, as a rule: to where, which function, with which arguments.
// Authority on when an observed call is the one that a rule speaks of, and on the facts that the called
// function is predicted from.
import type { Expression } from './expression.ts'
import { type Evaluator, type ProgramNode, WORTH } from './expression-program.ts'
import { formatExpression } from './expression-text.ts'
import type { ObservedCall } from './observation.ts'
import { type TransactionFacts, UNKNOWN_VALUE } from './transaction-facts.ts'
import { ADDRESS, compareBytes, hasBytesAt, WORD } from './word.ts'

/** Arguments of a call that are explained: later ones are contents of arrays and strings. */
export const MOST_ARGUMENTS = 24

/** Not a selector: no calldata (`receive`), or fewer than four bytes (`fallback`). */
export const NO_DATA = -1
export const SHORT_DATA = -2

/** The function that calldata asks for: its first four bytes as a number, or one of the above. */
export function selectorOf(data: Uint8Array): number {
  if (data.length < 4) return data.length === 0 ? NO_DATA : SHORT_DATA
  return ((data[0]! << 24) | (data[1]! << 16) | (data[2]! << 8) | data[3]!) >>> 0
}

/** What a rule says of a call besides the account whose code runs. */
export interface CallShape {
  readonly selector: number
  /** Runs foreign code on the caller's own storage. */
  readonly isDelegate: boolean
  readonly sendsValue: boolean
  /** Passes the caller's calldata on as it is; then there are no arguments here. */
  readonly isForwarded: boolean
  /** The first arguments; undefined for one that is not zero, and that nothing explains: an amount. */
  readonly args: readonly (Expression | undefined)[]
}

export function isDelegate({ account, codeAccount }: ObservedCall): boolean {
  return compareBytes(account, codeAccount) !== 0
}

export function isForwarded({ data }: ObservedCall, caller: TransactionFacts): boolean {
  return data.length > 0 && data.length === caller.data.length && hasBytesAt(data, 0, caller.data)
}

/** Whole words of arguments, at most so many as are explained. */
export function countArguments(data: Uint8Array): number {
  return Math.min(MOST_ARGUMENTS, Math.max(0, Math.floor((data.length - 4) / WORD)))
}

/** `0x` and eight digits, `receive` without calldata, `fallback` with fewer than four bytes. */
export function formatSelector(selector: number): string {
  if (selector === NO_DATA) return 'receive'
  return selector === SHORT_DATA ? 'fallback' : `0x${selector.toString(16).padStart(8, '0')}`
}

export function formatCall({ selector, args, ...shape }: CallShape): string {
  const listed = args.map((arg) => (arg === undefined ? '?' : formatExpression(arg))).join(', ')
  const flags = [shape.isDelegate ? ' delegated' : '', shape.sendsValue ? ' with value' : ''].join(
    '',
  )
  return `${formatSelector(selector)}(${shape.isForwarded ? '...' : listed})${flags}`
}

/** The arguments of a rule with their compiled expressions. */
export type ArgumentNodes = readonly (ProgramNode | undefined)[]

/** Whether this call is one that the rule speaks of; the rule's target must have been evaluated. */
export function isCallOf(
  { selector, ...shape }: CallShape,
  target: Uint8Array,
  args: ArgumentNodes,
  call: ObservedCall,
  caller: TransactionFacts,
  evaluator: Evaluator,
): boolean {
  if (compareBytes(call.codeAccount, target) !== 0 || selectorOf(call.data) !== selector) {
    return false
  }
  if (call.sendsValue !== shape.sendsValue || isDelegate(call) !== shape.isDelegate) return false
  if (shape.isForwarded) return isForwarded(call, caller)
  if (countArguments(call.data) !== args.length) return false
  return args.every((node, k) => {
    const at = 4 + WORD * k
    if (node === undefined) return !isZeroWord(call.data, at)
    return evaluator.evaluate(node) === WORTH.KNOWN && hasBytesAt(call.data, at, node.value)
  })
}

function isZeroWord(data: Uint8Array, at: number): boolean {
  for (let i = at; i < at + WORD; i++) if (data[i] !== 0) return false
  return true
}

/** Room for the facts of one predicted call; reused, so one is needed for each depth. */
export class CallScratch {
  readonly #sender = new Uint8Array(ADDRESS)
  readonly #to = new Uint8Array(ADDRESS)
  readonly #data = new Uint8Array(4 + WORD * MOST_ARGUMENTS)

  /**
   * The facts of the call that a rule predicts, or undefined where the caller's account is not known.
   * `target` is copied: evaluating the called function may overwrite it.
   */
  facts(
    { selector, ...shape }: CallShape,
    target: Uint8Array,
    args: ArgumentNodes,
    caller: TransactionFacts,
    evaluator: Evaluator,
  ): TransactionFacts | undefined {
    if (caller.to === undefined) return undefined
    let { data, unknown = 0 } = caller
    if (!shape.isForwarded) {
      const length = selector < 0 ? (selector === NO_DATA ? 0 : 1) : 4 + WORD * args.length
      data = this.#data.subarray(0, length)
      unknown = length < 4 ? 0 : this.#fill(selector, args, evaluator)
    }
    if (shape.isDelegate) return { ...caller, data, unknown, accessList: undefined }
    this.#sender.set(caller.to)
    this.#to.set(target)
    return {
      sender: this.#sender,
      to: this.#to,
      value: shape.sendsValue ? 1n : 0n,
      data,
      nonce: 0n,
      coinbase: caller.coinbase,
      unknown: shape.sendsValue ? unknown | UNKNOWN_VALUE : unknown,
    }
  }

  /** Writes selector and arguments; returns which arguments are not known. */
  #fill(selector: number, args: ArgumentNodes, evaluator: Evaluator): number {
    const data = this.#data
    data[0] = selector >>> 24
    data[1] = selector >>> 16
    data[2] = selector >>> 8
    data[3] = selector
    let unknown = 0
    for (let k = 0; k < args.length; k++) {
      const [at, node] = [4 + WORD * k, args[k]]
      if (node !== undefined && evaluator.evaluate(node) === WORTH.KNOWN) {
        for (let i = 0; i < WORD; i++) data[at + i] = node.value[i]!
        continue
      }
      unknown |= 1 << k
      // Anything but zero: branches ask whether there is an amount.
      for (let i = 0; i < WORD; i++) data[at + i] = 0x01
    }
    return unknown
  }
}
