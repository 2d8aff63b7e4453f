// One rule of a template, how often it was right, and under which conditions it holds.
// Authority on when a rule is believed. Must not know other rules.
import type { AccessKind, Confidence } from './access-sink.ts'
import type { ArgumentNodes } from './call-shape.ts'
import type { ProgramNode } from './expression-program.ts'
import type { Rule } from './rule.ts'

/** Counts are halved here, so that what a contract does now outweighs what it did once. */
export const MOST_COUNTED = 64

/** What is persisted of a rule. */
export interface EntryState extends Rule {
  /** Executions that did what the rule says, and those that did not though it was predicted. */
  hits: number
  misses: number
  /** Of the hits. */
  writes: number
  deltas: number
  /** Features that every hit had, and that every hit lacked. */
  hitOnes: number
  hitZeros: number
  /** Features that some miss had, and that some miss lacked. */
  missOnes: number
  missZeros: number
}

/** A rule with its compiled expressions. */
export interface TemplateEntry extends EntryState {
  readonly text: string
  readonly accountNode: ProgramNode
  readonly keyNode: ProgramNode | undefined
  readonly argumentNodes: ArgumentNodes
}

/** Features that some earlier call had, and that some earlier call lacked. */
export interface SeenFeatures {
  readonly ones: number
  readonly zeros: number
}

/** A rule that an execution has just shown; the calls before went by without it. */
export function newEntryState(
  rule: Rule,
  kind: AccessKind,
  features: number,
  before: SeenFeatures,
): EntryState {
  return {
    ...rule,
    hits: 1,
    misses: 0,
    writes: kind === 'write' ? 1 : 0,
    deltas: kind === 'delta' ? 1 : 0,
    hitOnes: features,
    hitZeros: ~features,
    missOnes: before.ones,
    missZeros: before.zeros,
  }
}

/**
 * Whether a call with these features lacks what every hit had, in a feature that some miss lacked too
 * (or the other way round): then the rule belongs to a branch that this call does not take. A chance
 * agreement gives a condition too many; the next hit without it takes it away.
 */
export function isExcluded(entry: EntryState, features: number): boolean {
  return (
    ((entry.hitOnes & entry.missZeros & ~features) |
      (entry.hitZeros & entry.missOnes & features)) !==
    0
  )
}

/** Whether it is right at least as often as not, where its conditions hold. */
export function isBelieved(entry: EntryState): boolean {
  return entry.hits > 0 && entry.hits >= entry.misses
}

/** Whether it is to be predicted for a call with these features. */
export function isAdmitted(entry: EntryState, features: number): boolean {
  return isBelieved(entry) && !isExcluded(entry, features)
}

export function confidenceOf({ hits, misses }: EntryState): Confidence {
  // Laplace's rule of succession: one success is no certainty.
  return Math.floor((100 * (hits + 1)) / (hits + misses + 2))
}

/**
 * A location that is sometimes written is taken for written: a write taken for a read costs a repeated
 * execution, a read taken for a write costs waiting.
 */
export function kindOf({ hits, writes, deltas }: EntryState): AccessKind {
  if (writes * 4 >= hits && writes > 0) return 'write'
  return deltas * 2 > hits ? 'delta' : 'read'
}

export function countHit(entry: EntryState, kind: AccessKind, features: number): void {
  entry.hits++
  if (kind === 'write') entry.writes++
  if (kind === 'delta') entry.deltas++
  entry.hitOnes &= features
  entry.hitZeros &= ~features
  decay(entry)
}

/** A miss counts where no condition excuses it, the one that it brings included. */
export function countMiss(entry: EntryState, features: number): void {
  entry.missOnes |= features
  entry.missZeros |= ~features
  if (isExcluded(entry, features)) return
  entry.misses++
  decay(entry)
}

function decay(entry: EntryState): void {
  if (entry.hits + entry.misses <= MOST_COUNTED) return
  entry.hits >>= 1
  entry.misses >>= 1
  entry.writes >>= 1
  entry.deltas >>= 1
}
