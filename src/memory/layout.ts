// Where everything lies in shared memory, who writes it, and when others may read it.
// The authority on every offset; nothing else may add or subtract one. Offsets derive from each other.
//
// Rule of publication: a payload is written plainly by its one writer and published by one atomic
// store (or a successful compare-exchange) of a word that leads to it. A reader reads the payload
// only after an atomic load that saw that word. A published payload is never rewritten.
//
// region   part                 writer                        published by
// -------  -------------------  ----------------------------  ------------------------------------
// control  header, tx words     any worker, atomically        itself
// control  request ring         any worker                    the ring slot (0 = not yet written)
// index    bucket heads         any worker, compare-exchange  itself
// state    record: key          the worker that interns it    the bucket head
// state    record: base values  who made it REQUESTED; main   the record's status word
// state    record: list heads   any worker, compare-exchange  itself
// state    code bytes           main thread                   the account's code status word
// block    version node         the worker that inserts it    the list head or the node before it
// block    payload              the worker executing the tx   the node's payload word
// block    read and write sets  the worker executing the tx   the tx's status word (EXECUTED)
// block    result record        the worker executing the tx   the tx's status word (EXECUTED)
// block    transaction bytes    main thread                   the start of the block's task
// block    terms of admission   main thread; what is left,    the start of the block's task
//                               whoever has the commit lock
// block    plan                 main thread                   the control header's PLAN word
// block    an access list's     main thread                   the control header's PLAN word
//          versions, write sets
//
// Between blocks no worker runs, and the main thread alone folds versions into base values, resets
// list heads, and resets the block region.

/** Words of the control header. */
export const CONTROL = {
  /** Transactions in the block. Main, before the workers start. */
  TRANSACTION_COUNT: 0,
  /** Lowest index that may hold a transaction to execute. Moves up by claims, down by rewinds. */
  EXECUTION_CURSOR: 1,
  /** Lowest index that may need validation. Moves up by claims, down by rewinds. */
  VALIDATION_CURSOR: 2,
  /** Transactions below this one are committed: final. Written under COMMIT_LOCK, only upwards. */
  COMMITTED: 3,
  /** 1 while a worker works at the commit head. Nobody waits for it: whoever fails goes on. */
  COMMIT_LOCK: 4,
  /** A {@link HALT} value; the first writer wins. */
  HALT: 5,
  /** The transaction that HALT is about. Written before HALT. */
  HALT_TRANSACTION: 6,
  /** Workers asleep at their doorbells: those who make work ring only if this is not 0. */
  SLEEPERS: 7,
  /** Main thread's doorbell: counts rings. */
  MAIN_BELL: 8,
  /** 1 while the main thread sleeps: who takes it to 0 wakes it, since waking it is expensive. */
  MAIN_ASLEEP: 16,
  /** Requests ever put into the ring. */
  REQUEST_TAIL: 9,
  /** Main wants a ring when COMMITTED reaches this. Written by main. */
  COMMIT_NOTICE: 10,
  /** Head of the list of locations that have versions (block region offset, 0 = none). */
  TOUCHED_LOCATIONS: 11,
  /** Statistics, summed over workers. */
  EXECUTIONS: 12,
  FAILED_VALIDATIONS: 13,
  ESTIMATE_WAITS: 14,
  BASE_WAITS: 15,
  /** Next transaction whose sender is to be recovered. Moves up by claims only. */
  RECOVERY_CURSOR: 17,
  /** Transactions whose sender was recovered, or cannot be. */
  RECOVERED: 18,
  /** Main wants a ring when RECOVERED reaches this. Written by main. */
  RECOVERY_NOTICE: 19,
  /** Block offset of the plan (scheduling/planned-order.ts); 0 until main has written it. Nothing is executed before. */
  PLAN: 20,
  /** Failed validations by the {@link LOCATION} kind that failed, one word each. */
  REFUTED: 21,
  /** Next of the plan's priorities to look at. Moves up by claims, down when one becomes ready. */
  PRIORITY_CURSOR: 27,
  /** Transactions that may be under way above the commit head; 0 = any number. Main, before the start. */
  BATCH_SIZE: 28,
  /** Workers that step with stock's own loop, since the interpreter is not the one that is known. */
  STOCK_STEPPING: 29,
  /**
   * Block offset of the terms of admission (scheduling/admission-gate.ts) where a block is being built;
   * 0 = all transactions belong to the block, and one that is invalid ends it. Main, before the start.
   */
  ADMISSION: 30,
} as const

const HEADER_WORDS = 32
/** One doorbell per worker, a cache line apart so that rings do not disturb the neighbours. */
const BELL_STRIDE = 16
const BELL_COUNT = 64
const BELLS = HEADER_WORDS
/** The rest of a bell's cache line is the worker's own. */
const USER_CALLS = 1
const PULSE = 2
const RING = BELLS + BELL_STRIDE * BELL_COUNT
/** A lane waits for its request, so at most workers x lanes are under way: far below this. */
export const RING_CAPACITY = 4096
/** 256 ancestors may be asked for by BLOCKHASH: status word and eight words of hash each. */
const HASHES = RING + RING_CAPACITY
export const BLOCK_HASH_COUNT = 256
const HASH_STRIDE = 9
const TRANSACTIONS = HASHES + BLOCK_HASH_COUNT * HASH_STRIDE

/** Words per transaction in the control region. */
export const TRANSACTION = {
  /** Packed incarnation and state, see scheduling/transaction-status.ts. */
  STATUS: 0,
  /** Block offset of the read set of the last finished incarnation. */
  READ_SET: 1,
  /** Block offset of its write set; before, of what the block's access list says that it writes. */
  WRITE_SET: 2,
  /** Block offset of its encoded result. */
  RESULT: 3,
  /** {@link OUTCOME} of the last finished incarnation. */
  OUTCOME: 4,
  /** 1 + the highest level of a transaction it read from. Written when it commits. */
  LEVEL: 5,
  /** Block offset of the serialized transaction. Main. */
  BYTES: 6,
  /** Account record of its sender; 0 until it was recovered, {@link NO_SENDER} if it cannot be. */
  SENDER: 7,
  /** 1 + the transaction that was deferred until this one settles, head of a list; 0 = none. */
  DEFERRED: 8,
  /** 1 + the next transaction in the list that this one is in. Its owner, before it is in a list. */
  NEXT_DEFERRED: 9,
  /** 1 where what contracts hash is to be recorded. Main, with the plan. */
  WANTS_PREIMAGES: 10,
  /** Block offset of what the last finished incarnation hashed; 0 = not recorded. */
  PREIMAGES: 11,
  /** Block offset of its sender's public key, 64 bytes; 0 = a worker did not recover it. */
  PUBLIC_KEY: 12,
  /** Block offset of what it adds to the block's access list (EIP-7928); 0 = not recorded. */
  ACCESS_LIST: 13,
  /** Gas that it takes up in the block, 2 words; of the last finished incarnation. */
  BLOCK_GAS: 14,
} as const
/** A cache line, so that workers on neighbouring transactions do not disturb each other. */
const TRANSACTION_STRIDE = 16

/** The signature is invalid; no record has this offset. */
export const NO_SENDER = -1

/** Why the workers stop. */
export const HALT = {
  RUNNING: 0,
  /** Every transaction is committed. */
  DONE: 1,
  /** The transaction at the commit head is invalid: its error is final. */
  INVALID_TRANSACTION: 2,
  /** The main thread wants them to stop (a worker died, state could not be read, close()). */
  ABORTED: 3,
  /** A worker met an error that is not the transaction's: shared memory is full, for one. */
  WORKER_ERROR: 4,
  /** A block is being built, and the transaction just committed is one at which to stop. */
  STOPPED: 5,
} as const

/** How an incarnation ended. */
export const OUTCOME = {
  /** It ran, successfully or reverted: it has a result. */
  RESULT: 0,
  /** `runTx` threw: the transaction is invalid on the state that it saw. */
  ERROR: 1,
  /** Executed or not, it does not fit into the block that is being built, and wrote nothing. */
  REFUSED: 2,
} as const

/** Status of base values, code and block hashes. Only a block hash can be FAILED: there is none. */
export const BASE = { UNKNOWN: 0, REQUESTED: 1, PRESENT: 2, FAILED: 3 } as const

/** What the main thread is asked for; the low bits of a ring entry. */
export const REQUEST = { ACCOUNT: 0, SLOT: 1, CODE: 2, BLOCK_HASH: 3 } as const
export const REQUEST_KIND_BITS = 2

export function bellIndex(worker: number): number {
  return BELLS + worker * BELL_STRIDE
}
/** Calls of the user's code that the worker is in. */
export function userCallsIndex(worker: number): number {
  return bellIndex(worker) + USER_CALLS
}
/** Changes whenever the worker looks for work, or enters or leaves the user's code. */
export function pulseIndex(worker: number): number {
  return bellIndex(worker) + PULSE
}
export function ringIndex(position: number): number {
  return RING + (position % RING_CAPACITY)
}
export function blockHashIndex(distance: number): number {
  return HASHES + (distance - 1) * HASH_STRIDE
}
export function transactionIndex(transaction: number, field: number): number {
  return TRANSACTIONS + transaction * TRANSACTION_STRIDE + field
}
export function controlWords(transactions: number): number {
  return TRANSACTIONS + transactions * TRANSACTION_STRIDE
}

/**
 * Account record, in the state region. `NEXT` chains records of one bucket. The base values are the
 * state before the block's first transaction; the heads lead to the versions that the block wrote.
 */
export const ACCOUNT = {
  NEXT: 0,
  HASH: 1,
  ADDRESS: 2, // 5 words
  STATUS: 7,
  EXISTS: 8,
  NONCE: 9, // 2 words
  BALANCE: 11, // 8 words
  CODE_HASH: 19, // 8 words
  STORAGE_ROOT: 27, // 8 words
  CODE_STATUS: 35,
  CODE: 36, // state region offset: byte length, bytes; -1 times it: in a flat state's region
  EXISTS_HEAD: 37,
  BALANCE_HEAD: 38,
  NONCE_HEAD: 39,
  CODE_HEAD: 40,
  RESET_HEAD: 41,
  /** 1 once a slot of the account was interned; saves searching the table for slots. */
  HAS_SLOTS: 42,
  WORDS: 43,
} as const

/** Storage slot record, in the state region. */
export const SLOT = {
  NEXT: 0,
  HASH: 1,
  ACCOUNT: 2,
  KEY: 3, // 8 words
  STATUS: 11,
  HEAD: 12,
  VALUE: 13, // 8 words
  WORDS: 21,
} as const

/** Bit of a record's HASH word that tells slots from accounts. */
export const SLOT_HASH_BIT = 1

/** Version node, in the block region; lists are sorted by descending transaction. */
export const NODE = {
  TRANSACTION: 0,
  NEXT: 1,
  /** Payload offset << 1 | 1 if estimate; 0 = this transaction no longer writes the location. */
  PAYLOAD: 2,
  WORDS: 3,
} as const

/** Payload of a version, in the block region. */
export const PAYLOAD = {
  INCARNATION: 0,
  /** {@link VERSION_KIND} */
  KIND: 1,
  VALUE: 2,
  HEADER_WORDS: 2,
} as const

/** SET replaces the value below; ADD adds to it (balances only). */
export const VERSION_KIND = { SET: 0, ADD: 1 } as const

/** Kinds of location. The number stands in read and write sets. */
export const LOCATION = {
  EXISTS: 0,
  BALANCE: 1,
  NONCE: 2,
  CODE: 3,
  RESET: 4,
  SLOT: 5,
} as const
export type LocationKind = (typeof LOCATION)[keyof typeof LOCATION]

/** Entry of the list of locations that have versions: next entry, location, kind. */
export const TOUCHED = { NEXT: 0, LOCATION: 1, KIND: 2, WORDS: 3 } as const
