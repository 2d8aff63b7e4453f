// What a transaction does to one key, and which two of these conflict.
// Authority on conflicts of one key: sets, graph and trackers all ask here, or rely on the grouping
// that is stated below and held by a test.

/** Bits; a transaction may do several to one key. */
export const ACCESS = {
  READ: 1,
  WRITE: 2,
  /** Adds to the value without looking at it, so that additions may come in any order. */
  DELTA: 4,
} as const
/** One or more bits of {@link ACCESS}. */
export type AccessFlags = number

/**
 * What the later transaction of two does: write after write, read after write, write after read. A
 * delta counts as a write, except after a delta.
 */
export type ConflictKind = 'WAW' | 'RAW' | 'WAR'

const WRITING = ACCESS.WRITE | ACCESS.DELTA

/** Whether the order of two transactions matters that access one key like this. */
export function flagsConflict(a: AccessFlags, b: AccessFlags): boolean {
  const both = a | b
  return both !== ACCESS.READ && both !== ACCESS.DELTA
}

/** Every kind of conflict on a key that the earlier transaction of two and the later access so. */
export function conflictKinds(earlier: AccessFlags, later: AccessFlags): ConflictKind[] {
  const written = earlier & WRITING
  const overwritten = later & WRITING
  const kinds: ConflictKind[] = []
  if (written !== 0 && overwritten !== 0 && (written | overwritten) !== ACCESS.DELTA) {
    kinds.push('WAW')
  }
  if (written !== 0 && (later & ACCESS.READ) !== 0) kinds.push('RAW')
  if ((earlier & ACCESS.READ) !== 0 && overwritten !== 0) kinds.push('WAR')
  return kinds
}

/**
 * Sorts flags into READ (alone), DELTA (alone) and WRITE (all others). Two accesses of one key
 * conflict unless they are of the same group and that group is not WRITE.
 */
export function accessGroup(flags: AccessFlags): AccessFlags {
  return flags === ACCESS.READ || flags === ACCESS.DELTA ? flags : ACCESS.WRITE
}
