// The keys that one transaction reads, writes and adds to, and its conflicts with another's.
// Authority on conflicts of two transactions, the pairwise definition that the graph's index answers
// to. Must not know of an order beyond which of two comes first.

import {
  ACCESS,
  type AccessFlags,
  type ConflictKind,
  conflictKinds,
  flagsConflict,
} from './access-flags.ts'
import { type Key, type KeyInput, type PrefixInput, toKey } from './key.ts'

/** One reason why the order of two transactions matters. */
export interface Conflict<K extends Key = string> {
  readonly kind: ConflictKind
  /** The key, or where two prefixes meet the longer one. */
  readonly key: K
  /** `key` stands for all keys that begin with it. */
  readonly isPrefix: boolean
}

const NO_PREFIXES: ReadonlyMap<string, AccessFlags> = new Map()

/**
 * What a transaction accesses: exact keys, and all keys with a prefix. A key is one state location (a
 * balance, a storage slot), not an account: the finer the keys, the fewer the conflicts.
 *
 * Keys are text, numbers, or bytes (see {@link KeyInput}). Naming a key again adds to what is done
 * to it. All methods that add return the set.
 */
export class ReadWriteSet<K extends Key = string> {
  readonly #accesses = new Map<K, AccessFlags>()
  #prefixes: Map<string, AccessFlags> | undefined

  addRead(key: KeyInput<K>): this {
    return this.#add(toKey(key), ACCESS.READ)
  }

  addWrite(key: KeyInput<K>): this {
    return this.#add(toKey(key), ACCESS.WRITE)
  }

  /**
   * The transaction adds to the value without having read it. Two deltas of one key do not conflict;
   * a delta and a read, or a delta and a write, do.
   */
  addDelta(key: KeyInput<K>): this {
    return this.#add(toKey(key), ACCESS.DELTA)
  }

  /** The transaction reads all keys that begin with `prefix`, or looks which of them there are. */
  addReadPrefix(prefix: PrefixInput<K>): this {
    return this.#addPrefix(toKey(prefix), ACCESS.READ)
  }

  /** The transaction may write any key that begins with `prefix`. */
  addWritePrefix(prefix: PrefixInput<K>): this {
    return this.#addPrefix(toKey(prefix), ACCESS.WRITE)
  }

  /** Exact keys and what is done to them, in the order they were named first. */
  get accesses(): ReadonlyMap<K, AccessFlags> {
    return this.#accesses
  }

  /** Prefixes and what is done to keys that begin with them. */
  get prefixes(): ReadonlyMap<string, AccessFlags> {
    return this.#prefixes ?? NO_PREFIXES
  }

  /** Exact keys and prefixes named so far. */
  get size(): number {
    return this.#accesses.size + this.prefixes.size
  }

  /** Exact keys that are read. */
  get reads(): K[] {
    return keysWith(this.#accesses, ACCESS.READ)
  }

  /** Exact keys that are written, those that are only added to left out. */
  get writes(): K[] {
    return keysWith(this.#accesses, ACCESS.WRITE)
  }

  /** Exact keys that are added to. */
  get deltas(): K[] {
    return keysWith(this.#accesses, ACCESS.DELTA)
  }

  /** Whether the order of the two transactions matters; the same as `conflictsWith` not being empty. */
  hasConflictWith(other: ReadWriteSet<K>): boolean {
    const [small, large] =
      this.#accesses.size <= other.#accesses.size ? [this, other] : [other, this]
    for (const [key, flags] of small.#accesses) {
      const others = large.#accesses.get(key)
      if (others !== undefined && flagsConflict(flags, others)) return true
    }
    if (this.#prefixes === undefined && other.#prefixes === undefined) return false
    const conflicts: Conflict<K>[] = []
    this.#addPrefixConflicts(other, conflicts, true)
    return conflicts.length > 0
  }

  /**
   * Every conflict with the set of a transaction that comes **later** than this one: RAW says that
   * `later` reads what this one writes. Empty where they may run in any order, or at once. A
   * conflict that prefixes lead to may be listed more than once.
   */
  conflictsWith(later: ReadWriteSet<K>): Conflict<K>[] {
    const conflicts: Conflict<K>[] = []
    for (const [key, flags] of this.#accesses) {
      const laterFlags = later.#accesses.get(key)
      if (laterFlags === undefined) continue
      for (const kind of conflictKinds(flags, laterFlags)) {
        conflicts.push({ kind, key, isPrefix: false })
      }
    }
    this.#addPrefixConflicts(later, conflicts, false)
    return conflicts
  }

  #add(key: K, access: AccessFlags): this {
    const flags = this.#accesses.get(key)
    this.#accesses.set(key, flags === undefined ? access : flags | access)
    return this
  }

  #addPrefix(prefix: string, access: AccessFlags): this {
    this.#prefixes ??= new Map()
    this.#prefixes.set(prefix, (this.#prefixes.get(prefix) ?? 0) | access)
    return this
  }

  /** Conflicts in which a prefix takes part. Keys are compared one by one: prefixes are rare. */
  #addPrefixConflicts(
    later: ReadWriteSet<K>,
    conflicts: Conflict<K>[],
    firstSuffices: boolean,
  ): void {
    const add = (
      key: Key,
      isPrefix: boolean,
      flags: AccessFlags,
      laterFlags: AccessFlags,
    ): void => {
      for (const kind of conflictKinds(flags, laterFlags)) {
        conflicts.push({ kind, key: key as K, isPrefix })
      }
    }
    for (const [prefix, flags] of this.prefixes) {
      for (const [key, laterFlags] of later.#accesses) {
        if (hasPrefix(key, prefix)) add(key, false, flags, laterFlags)
        if (firstSuffices && conflicts.length > 0) return
      }
      for (const [other, laterFlags] of later.prefixes) {
        const longer = other.length > prefix.length ? other : prefix
        if (longer.startsWith(prefix) && longer.startsWith(other)) {
          add(longer, true, flags, laterFlags)
        }
      }
    }
    for (const [prefix, laterFlags] of later.prefixes) {
      for (const [key, flags] of this.#accesses) {
        if (hasPrefix(key, prefix)) add(key, false, flags, laterFlags)
        if (firstSuffices && conflicts.length > 0) return
      }
    }
  }
}

function hasPrefix(key: Key, prefix: string): boolean {
  return typeof key === 'string' && key.startsWith(prefix)
}

function keysWith<K extends Key>(accesses: ReadonlyMap<K, AccessFlags>, access: AccessFlags): K[] {
  const keys: K[] = []
  for (const [key, flags] of accesses) if ((flags & access) !== 0) keys.push(key)
  return keys
}
