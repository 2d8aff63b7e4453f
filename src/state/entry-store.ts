// Keeps accounts, slots, code and trie nodes on disk, in lmdb, each under a key of its own.
// Authority on the form of such a store, in which each is read by itself. Either all of a commit is in it or
// nothing, whenever the process ends.

import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { Account, createAccountFromRLP } from '@ethereumjs/util'
import type { RootDatabase } from 'lmdb'
import { ParallelError } from '../errors.ts'
import type { NewNode } from './hash-nodes.ts'
import { bytesOfHex, hexOf } from './hex.ts'
import type { AccountFields } from './state-data.ts'
import type { OverlayContents } from './state-overlay.ts'
import { brokenStore, writeWhole } from './store-errors.ts'
import { EMPTY_ROOT } from './trie-node.ts'

/** Of another form than this, a store is not read. */
const FORMAT = 1
/** The first byte of a key says what is there: an account by address, slots by address and key, others by hash. */
const KIND = { META: 0, ACCOUNT: 1, SLOT: 2, CODE: 3, NODE: 4 } as const
/** Beside it no store of pages may be. */
const DIRECTORY = 'entries'

/** What a commit changes. */
export interface EntryChanges {
  readonly contents: OverlayContents
  readonly nodes: Iterable<NewNode>
  /** Code by its hash in hex. */
  readonly codes: ReadonlyMap<string, Uint8Array>
  readonly root: Uint8Array
}

export class EntryStore {
  readonly #database: RootDatabase<Buffer, Uint8Array>
  readonly #path: string
  /** Counts commits, and so tells whether somebody else wrote. */
  #sequence = 0
  /** What is stored is a part of something, and void if the rest does not come. */
  isPartial = false

  private constructor(database: RootDatabase<Buffer, Uint8Array>, path: string) {
    this.#database = database
    this.#path = path
  }

  /** Opens the store in a directory, which is made if there is none. @throws ParallelError `BROKEN_STORE` */
  static async open(path: string): Promise<EntryStore> {
    if (existsSync(join(path, 'data.mdb'))) {
      throw new ParallelError(
        'BROKEN_STORE',
        `The flat state at ${path} was stored without memoryBytes, and has another form`,
      )
    }
    const { open } = await import('lmdb')
    const directory = join(path, DIRECTORY)
    mkdirSync(directory, { recursive: true })
    const database = open<Buffer, Uint8Array>({
      path: directory,
      encoding: 'binary',
      keyEncoding: 'binary',
    })
    return new EntryStore(database, path)
  }

  /** Whether there is one in a directory. */
  static isAt(path: string): boolean {
    return existsSync(join(path, DIRECTORY))
  }

  /** The root of what is stored. @throws ParallelError `BROKEN_STORE` */
  root(): Uint8Array {
    const meta = this.#meta()
    this.#sequence = meta.sequence
    if (!meta.isPartial) return meta.root
    this.clear()
    return EMPTY_ROOT
  }

  /** Removes all. */
  clear(): void {
    this.#database.clearSync()
    this.#sequence = 0
  }

  account(address: Uint8Array): AccountFields | undefined {
    const stored = this.#get(KIND.ACCOUNT, address)
    if (stored === undefined) return undefined
    const { nonce, balance, storageRoot, codeHash } = createAccountFromRLP(stored)
    return { nonce, balance, storageRoot, codeHash }
  }

  slot(address: Uint8Array, key: Uint8Array): Uint8Array {
    return this.#get(KIND.SLOT, address, key) ?? new Uint8Array(0)
  }

  /** The slots of an account, keys and values. */
  *slots(address: Uint8Array): Generator<[key: Uint8Array, value: Uint8Array]> {
    for (const { key, value } of this.#database.getRange(slotRange(address))) {
      yield [plain(key.subarray(21)), plain(value)]
    }
  }

  code(hash: Uint8Array): Uint8Array | undefined {
    return this.#get(KIND.CODE, hash)
  }

  node(hash: Uint8Array): Uint8Array | undefined {
    return this.#get(KIND.NODE, hash)
  }

  /** Stores all of `changes` or nothing. @throws ParallelError `STORE_WRITE_FAILED`, `BROKEN_STORE` */
  save(changes: EntryChanges): void {
    writeWhole(this.#database, this.#path, () => this.#write(changes))
    this.#sequence++
  }

  /** Resolves when all that was saved is on the disk. */
  async flushed(): Promise<void> {
    await this.#database.flushed
  }

  async close(): Promise<void> {
    await this.#database.close()
  }

  #write({ contents, nodes, codes, root }: EntryChanges): void {
    if (this.#meta().sequence !== this.#sequence) {
      throw brokenStore(this.#path, 'somebody else has written to it')
    }
    for (const name of contents.cleared.keys()) {
      const keys = [...this.#database.getKeys(slotRange(bytesOfHex(name)))]
      for (const key of keys) this.#database.removeSync(key)
    }
    for (const [name, fields] of contents.accounts) {
      const stored =
        fields === null
          ? undefined
          : new Account(
              fields.nonce,
              fields.balance,
              fields.storageRoot,
              fields.codeHash,
            ).serialize()
      this.#put(keyOf(KIND.ACCOUNT, bytesOfHex(name)), stored)
    }
    for (const [name, values] of contents.slots) {
      const address = bytesOfHex(name)
      for (const [key, value] of values) {
        this.#put(
          keyOf(KIND.SLOT, address, bytesOfHex(key)),
          value.length === 0 ? undefined : value,
        )
      }
    }
    for (const [hash, code] of codes) this.#put(keyOf(KIND.CODE, bytesOfHex(hash)), code)
    for (const { hash, rlp } of nodes) this.#put(keyOf(KIND.NODE, hash), rlp)
    const { isPartial } = this
    const meta = { format: FORMAT, sequence: this.#sequence + 1, root: hexOf(root), isPartial }
    this.#put(keyOf(KIND.META), Buffer.from(JSON.stringify(meta)))
  }

  #put(key: Uint8Array, value: Uint8Array | undefined): void {
    if (value === undefined) this.#database.removeSync(key)
    else this.#database.putSync(key, Buffer.from(value))
  }

  #get(kind: number, ...parts: Uint8Array[]): Uint8Array | undefined {
    const stored = this.#database.getBinary(keyOf(kind, ...parts))
    return stored === undefined ? undefined : plain(stored)
  }

  #meta(): { sequence: number; root: Uint8Array; isPartial: boolean } {
    const stored = this.#get(KIND.META)
    if (stored === undefined) return { sequence: 0, root: EMPTY_ROOT, isPartial: false }
    try {
      const { format, sequence, root, isPartial } = JSON.parse(new TextDecoder().decode(stored))
      if (format === FORMAT) return { sequence, root: bytesOfHex(root), isPartial }
    } catch {
      // Said below.
    }
    throw brokenStore(this.#path, 'it is none, or of another version')
  }
}

function keyOf(kind: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const key = Buffer.alloc(parts.reduce((length, part) => length + part.length, 1))
  key[0] = kind
  let at = 1
  for (const part of parts) {
    key.set(part, at)
    at += part.length
  }
  return key
}

/** All slots of an account: no key of a slot is longer than the last one. */
function slotRange(address: Uint8Array): { start: Uint8Array; end: Uint8Array } {
  const last = new Uint8Array(33).fill(0xff)
  return { start: keyOf(KIND.SLOT, address), end: keyOf(KIND.SLOT, address, last) }
}

/** A copy that is no Buffer, whose methods are not all what those of arrays are. */
function plain(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes)
}
