// What the records of a flat state held before they were changed, as words, newest last.
// Authority on the form of such entries; the same form serves undoing and going to another state. Must not
// be shared with other threads.

import { FLAT_ACCOUNT, FLAT_BITS, FLAT_NODE, FLAT_SLOT } from '../memory/flat-layout.ts'

const { SLOT, EXISTS, SEEN } = FLAT_BITS
/** Nonce, balance and code lie next to each other. */
const ACCOUNT_WORDS = FLAT_ACCOUNT.STORAGE - FLAT_ACCOUNT.NONCE
const SLOT_WORDS = FLAT_SLOT.ACCOUNT - FLAT_SLOT.VALUE

/** Where an entry of an account has what; the record comes last. */
export const ACCOUNT_ENTRY = {
  NONCE: 0,
  BALANCE: FLAT_ACCOUNT.BALANCE - FLAT_ACCOUNT.NONCE,
  CODE: FLAT_ACCOUNT.CODE - FLAT_ACCOUNT.NONCE,
  /** 8 words: the root of its storage, as it was computed last; 0 = empty. Never put back. */
  ROOT: ACCOUNT_WORDS,
  EXISTS: ACCOUNT_WORDS + 8,
  WORDS: ACCOUNT_WORDS + 10,
} as const

/** Where an entry of a slot has what. */
export const SLOT_ENTRY = { VALUE: 0, WORDS: SLOT_WORDS + 1 } as const
const LEAST_WORDS = 1024

export class FlatLog {
  /** Changes whenever entries go. */
  generation = 0
  #words = new Int32Array(LEAST_WORDS)
  #length = 0
  /** What {@link ownersSince} found, so that it looks at each entry once. */
  #owners: { accounts: Set<number>; mark: number; end: number; generation: number } | undefined

  /** A mark for this point. */
  get length(): number {
    return this.#length
  }

  /** The same entries once more. */
  clone(): FlatLog {
    const log = new FlatLog()
    log.#words = this.#words.slice()
    log.#length = this.#length
    return log
  }

  /** Adds what `record` holds. */
  add(words: Int32Array, record: number): void {
    if (this.#length + ACCOUNT_ENTRY.WORDS > this.#words.length) {
      const larger = new Int32Array(2 * this.#words.length)
      larger.set(this.#words)
      this.#words = larger
    }
    const log = this.#words
    let at = this.#length
    const isSlot = (words[record] & SLOT) !== 0
    const from = record + (isSlot ? FLAT_SLOT.VALUE : FLAT_ACCOUNT.NONCE)
    const count = isSlot ? SLOT_WORDS : ACCOUNT_WORDS
    for (let i = 0; i < count; i++) log[at + i] = words[from + i]
    at += count
    if (!isSlot) {
      const top = words[record + FLAT_ACCOUNT.STORAGE]
      for (let i = 0; i < 8; i++) log[at++] = top === 0 ? 0 : words[top + FLAT_NODE.REFERENCE + i]
      log[at++] = words[record] & EXISTS
    }
    log[at++] = record
    this.#length = at
  }

  /** The entries, for looking at; good until the next change. */
  get entries(): Int32Array {
    return this.#words.subarray(0, this.#length)
  }

  /** Takes off the entries since `mark`, newest first. */
  takeBack(words: Int32Array, mark: number, each: (record: number) => void): void {
    this.generation++
    while (this.#length > mark) {
      this.#length = swapEntry(this.#words, this.#length, words, each)
    }
  }

  /** Adds what account `record` holds, with another root of its storage. */
  addWithRoot(words: Int32Array, record: number, root: Int32Array): void {
    this.add(words, record)
    this.#words.set(root, this.#length - ACCOUNT_ENTRY.WORDS + ACCOUNT_ENTRY.ROOT)
  }

  /** The storage roots that accounts had at `mark`, of those that have entries since. */
  storageRoots(words: Int32Array, mark: number): Map<number, Int32Array> {
    const roots = new Map<number, Int32Array>()
    const entries = this.#words.slice(mark, this.#length)
    for (const [record, start] of indexEntries(entries, words)) {
      if ((words[record] & SLOT) !== 0) continue
      const at = start + ACCOUNT_ENTRY.ROOT
      roots.set(record, entries.subarray(at, at + 8))
    }
    return roots
  }

  /** The accounts of slots that have entries since `mark`; good until the next change. */
  ownersSince(words: Int32Array, mark: number): ReadonlySet<number> {
    const known = this.#owners
    let scanned = known?.end ?? mark
    let accounts = known?.accounts
    if (accounts === undefined || known?.mark !== mark || known.generation !== this.generation) {
      accounts = new Set()
      scanned = mark
    }
    for (let end = this.#length; end > scanned; ) {
      const record = this.#words[end - 1]
      if ((words[record] & SLOT) !== 0) accounts.add(words[record + FLAT_SLOT.ACCOUNT])
      end -= entryLength(words, record)
    }
    this.#owners = { accounts, mark, end: this.#length, generation: this.generation }
    return accounts
  }

  /** Takes off what is before `mark`; gives the oldest entry of each record, which lead back to the beginning. */
  seal(words: Int32Array, mark: number = this.#length): Int32Array {
    const log = this.#words
    const starts: number[] = []
    let size = 0
    for (let end = mark; end > 0; ) {
      end -= entryLength(words, log[end - 1])
      starts.push(end)
    }
    const oldest: number[] = []
    for (let i = starts.length - 1; i >= 0; i--) {
      const end = i === 0 ? mark : starts[i - 1]
      const record = log[end - 1]
      if ((words[record] & SEEN) !== 0) continue
      words[record] |= SEEN
      oldest.push(starts[i], end)
      size += end - starts[i]
    }
    const sealed = new Int32Array(size)
    let at = 0
    for (let i = 0; i < oldest.length; i += 2) {
      sealed.set(log.subarray(oldest[i], oldest[i + 1]), at)
      at += oldest[i + 1] - oldest[i]
      words[sealed[at - 1]] &= ~SEEN
    }
    this.generation++
    log.copyWithin(0, mark, this.#length)
    this.#length -= mark
    // A block that changed very much should not keep its room for ever.
    if (this.#length === 0 && log.length > 1024 * LEAST_WORDS) {
      this.#words = new Int32Array(LEAST_WORDS)
    }
    return sealed
  }
}

/** Exchanges what records hold with what `entries`, which name each record once, say. */
export function swapEntries(
  entries: Int32Array,
  words: Int32Array,
  each: (record: number) => void,
): void {
  for (let end = entries.length; end > 0; ) end = swapEntry(entries, end, words, each)
}

/** Where the oldest entry of each record begins in `entries`. */
export function indexEntries(entries: Int32Array, words: Int32Array): Map<number, number> {
  const index = new Map<number, number>()
  for (let end = entries.length; end > 0; ) {
    const record = entries[end - 1]
    end -= entryLength(words, record)
    index.set(record, end)
  }
  return index
}

function entryLength(words: Int32Array, record: number): number {
  return (words[record] & SLOT) !== 0 ? SLOT_ENTRY.WORDS : ACCOUNT_ENTRY.WORDS
}

/** Exchanges the entry that ends at `end`; returns where it begins. */
function swapEntry(
  log: Int32Array,
  end: number,
  words: Int32Array,
  each: (record: number) => void,
): number {
  const record = log[end - 1]
  const isSlot = (words[record] & SLOT) !== 0
  const start = end - entryLength(words, record)
  if (!isSlot) {
    const existed = words[record] & EXISTS
    words[record] = (words[record] & ~EXISTS) | log[start + ACCOUNT_ENTRY.EXISTS]
    log[start + ACCOUNT_ENTRY.EXISTS] = existed
    const top = words[record + FLAT_ACCOUNT.STORAGE]
    for (let i = 0; i < 8; i++) {
      log[start + ACCOUNT_ENTRY.ROOT + i] = top === 0 ? 0 : words[top + FLAT_NODE.REFERENCE + i]
    }
  }
  const count = isSlot ? SLOT_WORDS : ACCOUNT_WORDS
  const from = record + (isSlot ? FLAT_SLOT.VALUE : FLAT_ACCOUNT.NONCE)
  let wasEmpty = 0
  let isEmpty = 0
  for (let i = 0; i < count; i++) {
    const before = words[from + i]
    const after = log[start + i]
    words[from + i] = after
    log[start + i] = before
    wasEmpty |= before
    isEmpty |= after
  }
  if (isSlot && (wasEmpty === 0) !== (isEmpty === 0)) {
    words[words[record + FLAT_SLOT.ACCOUNT] + FLAT_ACCOUNT.SLOT_COUNT] += isEmpty === 0 ? -1 : 1
  }
  each(record)
  return start
}
