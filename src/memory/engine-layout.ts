// Where everything of an MvccStore lies in its shared memory, who writes it, and when others may read it.
// The authority on every offset of it, as layout.ts is on those of an executor. Must not hold values.
//
// part                        writer                                published by
// --------------------------  ------------------------------------  -----------------------------------
// clock                       the holder of COMMIT_LOCK             CLOCK, after all versions are in place
// a transaction's slot        its thread; whoever ends the thread   the slot's STATE
// record: key                 the thread that interns it            the bucket head
// record: HEAD, COUNT         the holder of the record's LOCK,      HEAD
//                             HEAD of COMMIT_LOCK besides
// version: time, bytes        the holder of the record's LOCK       HEAD
// version: NEXT               the same; the collector cuts there    HEAD; nobody reads beyond a cut
// free lists                  the holder of the list's LOCK         the lock
// a remnant: its length       who leaves it, in its first word      its word of REMNANTS
//
// A version is given back only when no active transaction can reach it, so readers need no lock.

import { REGION_HEADER_WORDS } from './shared-region.ts'

/** A time is a number below 2^53, in two words of 31 bits: it does not run out, unlike one word. */
export const TIME_BITS = 31
export const TIME_UNIT = 2 ** TIME_BITS

/** Words of the control part. Counters of two words are written under a lock. */
export const STORE = {
  /** Odd while the upper word of the clock changes. */
  CLOCK_EPOCH: 0,
  CLOCK_HIGH: 1,
  CLOCK: 2,
  /** Held while a commit puts its versions into place. Alone in its cache line, like the clock. */
  COMMIT_LOCK: 16,
  /** Versions in the store, and keys that have any. */
  VERSIONS: 17,
  KEYS: 18,
  /** Versions that were there when the last collection ended. */
  VERSIONS_KEPT: 19,
  GC_LOCK: 32,
  /** First of the records that have more than one version, 0 = none. */
  CROWDED: 33,
  COLLECTIONS: 34,
  AUTOMATIC_COLLECTIONS: 35,
  REMOVED: 36, // 2 words
  VISITED: 38, // 2 words
  LAST_COLLECTION_MICROSECONDS: 40,
  COLLECTING_MICROSECONDS: 46, // 2 words
  /** Versions above VERSIONS_KEPT at which whoever commits collects; 0 = nobody does. */
  THRESHOLD: 41,
  MOST_VERSIONS: 42,
  /** Seconds that a version lives, 0 = for ever. */
  LIFE: 43,
  /** Set once the store is disposed. */
  DISPOSED: 44,
  /** Slots of transactions that were ever used: those above need no look. */
  SLOTS_USED: 45,
  /** Threads that have ever attached. */
  ATTACHED: 48,
  CLASS_LOCKS: 64,
  /** Head and number of free blocks of each size. */
  CLASS_HEADS: 128,
  CLASS_COUNTS: 192,
  OWNERS: 256,
  /** Pieces of fresh memory that threads left over: where each begins, 0 = none. */
  REMNANTS: 512,
} as const

/** Threads that can be attached to one store at a time. */
export const MOST_OWNERS = 256
/** Pieces that are kept for others; what does not find a place is lost. */
export const MOST_REMNANTS = 64

/**
 * What a thread does with the store, plus ATTACHMENT times the number of its attachment, so that nobody
 * takes a later thread for it. Only a thread that is not at work in the store may be ended.
 *
 *   FREE --attach--> IDLE <--commit, collect--> AT_WORK
 *     ^-----detach-----+--end of the thread--> ENDED --its transactions are given up--> FREE
 */
export const OWNER = { FREE: 0, IDLE: 1, AT_WORK: 2, ENDED: 3, MASK: 3, ATTACHMENT: 4 } as const

/**
 * An open transaction. Its state has the thread's number and counts uses of the slot, so that nobody ends
 * one twice, and a thread that was ended while it entered one is known.
 */
export const SLOT_OF = { STATE: 0, TIME_HIGH: 1, TIME: 2, WORDS: 4 } as const
export const SLOT_STATE = {
  FREE: 0,
  STARTING: 1,
  ACTIVE: 2,
  MASK: 3,
  OWNER_SHIFT: 2,
  OWNER_MASK: (MOST_OWNERS - 1) << 2,
  /** Added with each use. */
  USE: MOST_OWNERS << 2,
} as const
const SLOTS = STORE.REMNANTS + MOST_REMNANTS

export function slotIndex(slot: number): number {
  return SLOTS + slot * SLOT_OF.WORDS
}
export function storeControlWords(slots: number): number {
  return slotIndex(slots)
}

/** A key, in the region. Records are never removed. */
export const RECORD = {
  NEXT: 0,
  HASH: 1,
  LOCK: 2,
  /** Newest version, 0 = none. */
  HEAD: 3,
  /** Versions. */
  COUNT: 4,
  /** 1 while the record is in the list CROWDED. */
  IS_CROWDED: 5,
  NEXT_CROWDED: 6,
  LENGTH: 7,
  KEY: 8,
} as const

/** A version, in the region, in a block of one of the sizes of free-lists.ts. */
export const VERSION = {
  /** The next older one. */
  NEXT: 0,
  TIME_HIGH: 1,
  TIME: 2,
  /** Seconds of the store's own age. */
  WRITTEN_AT: 3,
  /** Bytes of the value; {@link DELETED}: there is none. */
  LENGTH: 4,
  BYTES: 5,
} as const
export const DELETED = -1

/** Nothing lies before the region's own words. */
export const FIRST_BLOCK = REGION_HEADER_WORDS
