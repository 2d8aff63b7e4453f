// From one observed execution to rules: for each location that a call touched, and each call that it
// made, an expression by which the next execution may follow.
// Authority on what is explained in which order. Must not run on the hot path: it searches.
import type { AccessKind } from './access-sink.ts'
import { countArguments, isDelegate, isForwarded, selectorOf } from './call-shape.ts'
import type { Expression } from './expression.ts'
import type { ObservedAccess, ObservedCall } from './observation.ts'
import type { Rule } from './rule.ts'
import type { TransactionFacts } from './transaction-facts.ts'
import { type Keccak, WORD } from './word.ts'
import { WordExplainer } from './word-explainer.ts'
import type { HashIndex } from './word-index.ts'
import { MOST_LESSON_WORK, WORK, WorkBudget } from './work-budget.ts'

/** A touched location or a call with the rule it is believed to follow. */
export interface Explained {
  readonly rule: Rule
  readonly kind: AccessKind
  /** What it explains. */
  readonly access?: ObservedAccess
  readonly call?: ObservedCall
}

/** One call, with what is of use to explain it. */
export interface ObservedFrame {
  readonly facts: TransactionFacts
  /** All that it and the calls below it touched, in order: what they read explains where it goes. */
  readonly accesses: readonly ObservedAccess[]
  /** Whether the call itself touched it: then there is to be a rule. */
  isOwn(access: ObservedAccess): boolean
  /** The calls that it made itself, in order. */
  readonly calls: readonly ObservedCall[]
  /** How many of `accesses` were there when a call began. */
  before(call: ObservedCall): number
}

/** Accesses that are looked at: a template holds far fewer, and what explains them comes early. */
const MOST_ACCESSES = 1024

/**
 * Finds a rule for each location and each call, in order, until the work is spent; there is always one,
 * if only a constant. `keccak` hashes candidates for arrays whose place the compiler computed.
 */
export function explain(
  frame: ObservedFrame,
  hashes: HashIndex,
  keccak: Keccak,
  work = new WorkBudget(MOST_LESSON_WORK),
): Explained[] {
  const accesses = frame.accesses.slice(0, MOST_ACCESSES)
  const words = new WordExplainer(frame.facts, accesses, hashes, keccak, work)
  const explained: Explained[] = []
  let next = 0
  /** What was under way when the work was spent may be explained by half. */
  const add = (each: Explained): void => {
    if (!work.isSpent) explained.push(each)
  }
  const explainBefore = (end: number): void => {
    for (; next < end && next < accesses.length && !work.isSpent; next++) {
      work.spend(WORK.ACCESS)
      const access = accesses[next]!
      const rule = ruleOf(access, words)
      if (frame.isOwn(access)) add({ rule, kind: access.kind, access })
    }
  }
  for (const call of frame.calls) {
    explainBefore(frame.before(call))
    if (work.isSpent) return explained
    add({ rule: callRule(call, frame.facts, words), kind: 'read', call })
  }
  explainBefore(accesses.length)
  return explained
}

function ruleOf(access: ObservedAccess, words: WordExplainer): Rule {
  const { field, address, key } = access
  const account = words.account(address)
  if (field !== 'slot' || key === undefined) {
    return { field, account, key: undefined, call: undefined }
  }
  return { field, account, key: words.slotKey({ ...access, key }), call: undefined }
}

function callRule(call: ObservedCall, caller: TransactionFacts, words: WordExplainer): Rule {
  const { data } = call
  const isPassedOn = isForwarded(call, caller)
  const args: (Expression | undefined)[] = []
  for (let k = 0; !isPassedOn && k < countArguments(data); k++) {
    args.push(words.argument(data.slice(4 + WORD * k, 4 + WORD * (k + 1))))
  }
  return {
    field: 'call',
    account: words.account(call.codeAccount),
    key: undefined,
    call: {
      selector: selectorOf(data),
      isDelegate: isDelegate(call),
      sendsValue: call.sendsValue,
      isForwarded: isPassedOn,
      args,
    },
  }
}
