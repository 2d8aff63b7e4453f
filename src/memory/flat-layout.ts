// Where everything of a flat state lies in its shared memory, who writes it, and when others may read it.
// The authority on every offset of it, as layout.ts is on those of an executor. Must not hold values.
//
// One region has records of accounts and slots, branches, and code; two arrays of buckets lead to the
// records. The calling thread alone writes values, and while workers read them only between two changes of
// the epoch: a task that is handed to a worker publishes all that was written before. Of what lies in tries,
// any thread may hash what is given to it: that writes references and, last, STALE and LENGTH in headers.
// While that goes on, nobody else writes to a header, to a value, or to the shape of a trie.

import { REGION_HEADER_WORDS } from './shared-region.ts'

/**
 * Odd while the calling thread goes to another state for a moment, or writes while workers run, and another
 * number afterwards: who read
 * in between asks the calling thread instead. The first word that a region gives away.
 */
export const FLAT_EPOCH = REGION_HEADER_WORDS

/**
 * First words of whatever can be in a trie: accounts and slots are its leaves. A reference is what a parent
 * holds: a hash or, where a node takes less than 32 bytes, the node itself.
 */
export const FLAT_NODE = {
  /** Bits, see {@link FLAT_BITS}. */
  HEADER: 0,
  REFERENCE: 1, // 8 words
  WORDS: 9,
} as const

export const FLAT_BITS = {
  /** A branch; otherwise a leaf. */
  BRANCH: 1 << 0,
  /** The leaf is a slot's. */
  SLOT: 1 << 1,
  /** The reference is out of date; cleared by an atomic store that follows it. */
  STALE: 1 << 2,
  /** Records: it is a leaf of a trie. */
  LINKED: 1 << 3,
  /** Records: it may differ from what its trie says. */
  QUEUED: 1 << 4,
  /** Records: KEY_HASH is known. */
  HASHED: 1 << 5,
  /** Accounts: there is one. */
  EXISTS: 1 << 6,
  /** Records: for whoever goes through changes and wants each record once. Clear otherwise. */
  SEEN: 1 << 7,
  /** Bytes of the reference, 0..32. */
  LENGTH_SHIFT: 8,
  LENGTH_MASK: 63 << 8,
  /** Branches: how many nibbles lead to it, 0..63. */
  DEPTH_SHIFT: 14,
} as const

export const FLAT_ACCOUNT = {
  HEADER: 0,
  REFERENCE: 1,
  /** keccak-256 of the address. */
  KEY_HASH: 9, // 8 words
  ADDRESS: 17, // 5 words
  NONCE: 22, // 2 words
  BALANCE: 24, // 8 words
  /** {@link FLAT_CODE} entry; 0 = no code. */
  CODE: 32,
  /** Top node of its storage trie; 0 = empty. */
  STORAGE: 33,
  /** First of its slot records, 0 = none. */
  SLOTS: 34,
  /** Its slots that are not zero. */
  SLOT_COUNT: 35,
  WORDS: 36,
} as const

export const FLAT_SLOT = {
  HEADER: 0,
  REFERENCE: 1,
  /** keccak-256 of the key. */
  KEY_HASH: 9, // 8 words
  KEY: 17, // 8 words
  /** 32 bytes; 0 = there is no such slot. */
  VALUE: 25, // 8 words
  ACCOUNT: 33,
  /** Next slot record of the account. */
  SIBLING: 34,
  WORDS: 35,
} as const

/**
 * Has two children at least. The nibbles between it and its parent are those of any leaf below it; in the
 * trie's encoding they make an extension, and the reference is then that of the extension.
 */
export const FLAT_BRANCH = {
  HEADER: 0,
  REFERENCE: 1,
  CHILDREN: 9, // 16 words
  WORDS: 25,
} as const

/** Code by its hash. */
export const FLAT_CODE = {
  HASH: 0, // 8 words
  /** Where its bytes lie with their length; 0 = nobody has put them. */
  PLACE: 8,
  WORDS: 9,
} as const

/**
 * Parts of tries that threads hash at once, in a buffer made for one state root: first parts of storage
 * tries, then parts of the accounts' trie, whose leaves hold storage roots.
 *
 * What publishes what: the calling thread writes all of it, and all nodes, before it hands the buffer to
 * tasks. A part belongs to whoever moved NEXT past it, and to nobody else, and parts share no nodes. Who has
 * hashed a part then adds to DONE: so who loads a DONE that counts a part finds its references. A part of
 * the accounts' trie may be begun when DONE counts all parts of storage tries, and what lies above the parts
 * may be hashed when it counts all.
 *
 * A thread that ends at its part never adds to DONE. So a helper says that it is BUSY before it looks whether
 * parts are stopped, and that it is IDLE when it hashes no more: who has stopped them and then sees all IDLE
 * is alone.
 */
export const FLAT_PARTS = {
  NEXT: 0,
  DONE: 1,
  /** Not 0: nobody may begin another. */
  STOPPED: 2,
  /** Parts of storage tries, which come first. */
  STORAGE: 3,
  COUNT: 4,
  /** One word of {@link FLAT_HELPER} for each thread that is asked to help. */
  HELPERS: 5,
  MOST_HELPERS: 64,
  /** For each part its top node, and how many nibbles lead to it. */
  FIRST: 69,
  PART_WORDS: 2,
} as const

/** What a helper is at; the calling thread makes a BUSY one LOST when its task has ended without a word. */
export const FLAT_HELPER = { IDLE: 0, BUSY: 1, LOST: 2 } as const
