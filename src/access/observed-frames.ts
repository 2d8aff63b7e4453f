// Takes an observation apart into the calls it consists of, each as its template is to see it.
// Authority on which touched location and which call belongs to which frame.
// Must not learn or judge anything.

import { selectorOf } from './call-shape.ts'
import { predictEnvelope } from './envelope.ts'
import type { ObservedFrame } from './explain.ts'
import { LocationSet } from './location-set.ts'
import type { Observation, ObservedAccess, ObservedCall } from './observation.ts'
import type { CheckedFrame } from './template.ts'
import type { TransactionFacts } from './transaction-facts.ts'
import type { Keccak } from './word.ts'
import { compareBytes, leadingZeros } from './word.ts'

/** Calls that are looked at; a transaction with more does the same thing over and over. */
const MOST_FRAMES = 128
/** Addresses with so many leading zeros are precompiles: they have no state. */
const PRECOMPILE_ZEROS = 17

/** One call of an execution, with all that its template is checked against and learns from. */
export interface Frame extends CheckedFrame, ObservedFrame {
  readonly codeHash: Uint8Array
  /** The access at each position of `touched`. */
  readonly accessAt: readonly ObservedAccess[]
}

/** The outermost call first, then those that it made and that can be learned from. */
export function framesOf(
  facts: TransactionFacts,
  codeHash: Uint8Array,
  observation: Observation,
  keccak: Keccak,
): Frame[] {
  const calls = (observation.calls ?? []).slice(0, MOST_FRAMES)
  const envelope = new LocationSet()
  predictEnvelope(facts, keccak, envelope)
  // The first fee of all makes the coinbase exist; no function has to do with it.
  envelope.existence(facts.coinbase, 'write')
  const frames: Frame[] = []
  for (let frame = 0; frame <= calls.length; frame++) {
    const call = frame === 0 ? undefined : calls[frame - 1]!
    const hash = call === undefined ? codeHash : call.codeHash
    if (hash === undefined || call?.isCreation) continue
    const own = call === undefined ? facts : factsOfCall(call, facts)
    frames.push(frameOf(own, hash, frame, observation, calls, envelope))
  }
  return frames
}

function factsOfCall(call: ObservedCall, { coinbase }: TransactionFacts): TransactionFacts {
  return {
    sender: call.sender,
    to: call.account,
    value: call.sendsValue ? 1n : 0n,
    data: call.data,
    nonce: 0n,
    coinbase,
  }
}

function frameOf(
  facts: TransactionFacts,
  codeHash: Uint8Array,
  frame: number,
  observation: Observation,
  calls: readonly ObservedCall[],
  envelope: LocationSet,
): Frame {
  const isFlat = observation.calls === undefined
  const isBelow = descendantsOf(frame, calls)
  const isOwn = (access: ObservedAccess): boolean => isFlat || (access.call ?? 0) === frame
  const children = calls.filter((call) => call.parent === frame && isLearnable(call))
  const accesses: ObservedAccess[] = []
  /** How many of the frame's accesses are among the first so many of the observation. */
  const before = new Int32Array(observation.accesses.length + 1)
  observation.accesses.forEach((access, index) => {
    if (isFlat || isBelow[access.call ?? 0]) accesses.push(access)
    before[index + 1] = accesses.length
  })
  const touched = new LocationSet()
  const accessAt: ObservedAccess[] = []
  for (const access of accesses) {
    const { field, address, key, kind } = access
    if (!isOwn(access) || (field === 'existence' && kind === 'read')) continue
    accessAt[touched.add(field, address, key, kind)] ??= access
  }
  return {
    facts,
    codeHash,
    touched,
    accessAt,
    expected: [envelope, expectedOf(children)],
    accesses,
    isOwn,
    calls: differing(children),
    before: (call) => before[Math.min(call.after, observation.accesses.length)]!,
  }
}

/** By frame: whether it is `frame` or was called, however deeply, by it. */
function descendantsOf(frame: number, calls: readonly ObservedCall[]): boolean[] {
  const isBelow: boolean[] = new Array(calls.length + 1).fill(false)
  isBelow[frame] = true
  // A call begins after its caller.
  calls.forEach(({ parent }, index) => {
    if (parent <= index && isBelow[parent]) isBelow[index + 1] = true
  })
  return isBelow
}

function isLearnable({ codeAccount, isCreation }: ObservedCall): boolean {
  return !isCreation && leadingZeros(codeAccount) < PRECOMPILE_ZEROS
}

/** What follows from the calls that a call makes. */
function expectedOf(children: readonly ObservedCall[]): LocationSet {
  const expected = new LocationSet()
  for (const { codeAccount, account, sender, sendsValue } of children) {
    expected.code(codeAccount, 'read')
    if (!sendsValue) continue
    expected.balance(sender, 'write')
    expected.balance(account, 'delta')
  }
  return expected
}

function differing(calls: readonly ObservedCall[]): ObservedCall[] {
  const kept: ObservedCall[] = []
  for (const call of calls) if (!kept.some((other) => isSameCall(other, call))) kept.push(call)
  return kept
}

function isSameCall(one: ObservedCall, other: ObservedCall): boolean {
  return (
    one.sendsValue === other.sendsValue &&
    one.data.length === other.data.length &&
    selectorOf(one.data) === selectorOf(other.data) &&
    compareBytes(one.codeAccount, other.codeAccount) === 0 &&
    compareBytes(one.account, other.account) === 0 &&
    compareBytes(one.data, other.data) === 0
  )
}
