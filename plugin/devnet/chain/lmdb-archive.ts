// Blocks on disk, in lmdb. The authority on the form of that store: each put is one transaction, so a
// process that is killed leaves whole blocks. Must not know how blocks and states belong together.

import { mkdirSync } from 'node:fs'
import { deserialize, serialize } from 'node:v8'
import type { Database, RootDatabase } from 'lmdb'
import { bytesOf, type Hex } from '../hex.ts'
import type {
  ArchivedBlock,
  ArchiveEntry,
  BlockArchive,
  TransactionIndex,
} from './block-archive.ts'
import { lockDirectory } from './directory-lock.ts'
import type { EmptyRange } from './empty-range.ts'

/** Of another form than this, a store is not read. */
const FORMAT = 2
/** Roots that are noted of one block: the newest few are all that a killed process can have left. */
const MOST_ROOTS = 4

/** What must be the same whenever the store is opened. */
export interface ChainIdentity {
  readonly chainId: number
  readonly hardfork: string
}

type Table<Key extends number | Buffer> = Database<Buffer, Key>

export class LmdbArchive implements BlockArchive {
  readonly #root: RootDatabase
  readonly #unlock: () => void
  readonly #blocks: Table<number>
  readonly #ranges: Table<number>
  readonly #numbers: Table<Buffer>
  readonly #places: Table<Buffer>
  readonly #filters: Table<number>
  readonly #roots: Table<number>

  private constructor(root: RootDatabase, unlock: () => void) {
    this.#root = root
    this.#unlock = unlock
    const table = <Key extends number | Buffer>(name: string, hasHashes: boolean): Table<Key> =>
      root.openDB({
        name,
        encoding: 'binary',
        ...(hasHashes ? { keyEncoding: 'binary' as const } : {}),
      })
    this.#blocks = table('blocks', false)
    this.#ranges = table('ranges', false)
    this.#numbers = table('numbers', true)
    this.#places = table('places', true)
    this.#filters = table('filters', false)
    this.#roots = table('roots', false)
  }

  /** @throws Error if what is there is of another chain or version, or in use */
  static async open(path: string, identity: ChainIdentity): Promise<LmdbArchive> {
    mkdirSync(path, { recursive: true })
    // Two processes can write to one store of lmdb, and would mix two chains in it.
    const unlock = await lockDirectory(path)
    try {
      return new LmdbArchive(await openStore(path, identity), unlock)
    } catch (error) {
      unlock()
      throw error
    }
  }

  entries(): ArchiveEntry[] {
    const entries: ArchiveEntry[] = []
    for (const number of this.#blocks.getKeys()) entries.push({ first: number, last: number })
    for (const { value } of this.#ranges.getRange()) {
      const range = deserialize(value) as EmptyRange
      entries.push({ first: Number(range.first), last: Number(range.last), range })
    }
    return entries.sort((a, b) => a.first - b.first)
  }

  put({ number, hash, encode, transactionHashes, logFilter }: ArchivedBlock): void {
    this.#root.transactionSync(() => {
      this.#blocks.putSync(number, Buffer.from(encode()))
      this.#numbers.putSync(keyOf(hash), serialize(number))
      for (const [index, name] of transactionHashes.entries()) {
        this.#places.putSync(keyOf(name), serialize([number, index]))
      }
      if (logFilter !== undefined) this.#filters.putSync(number, Buffer.from(logFilter))
      this.#roots.removeSync(number)
    })
  }

  release(): void {}

  putRange(range: EmptyRange): void {
    this.#ranges.putSync(Number(range.first), serialize(range))
  }

  remove(number: number, hash: Hex, transactionHashes: readonly Hex[]): void {
    this.#root.transactionSync(() => {
      this.#blocks.removeSync(number)
      this.#numbers.removeSync(keyOf(hash))
      for (const name of transactionHashes) this.#places.removeSync(keyOf(name))
      this.#filters.removeSync(number)
      this.#roots.removeSync(number)
    })
  }

  cutRange(range: EmptyRange, number: number): void {
    if (number < Number(range.first)) this.#ranges.removeSync(Number(range.first))
    else this.putRange({ ...range, last: BigInt(number) })
  }

  bytes(number: number): Uint8Array | undefined {
    return this.#blocks.get(number)
  }

  numberOf(hash: Hex): number | undefined {
    const found = this.#numbers.get(keyOf(hash))
    return found === undefined ? undefined : (deserialize(found) as number)
  }

  placeOf(transactionHash: Hex): TransactionIndex | undefined {
    const found = this.#places.get(keyOf(transactionHash))
    return found === undefined ? undefined : (deserialize(found) as TransactionIndex)
  }

  logFilter(number: number): Uint8Array | undefined {
    return this.#filters.get(number)
  }

  noteRoot(number: number, root: Uint8Array): void {
    const roots = [...this.rootsOf(number), root].slice(-MOST_ROOTS)
    this.#roots.putSync(number, Buffer.concat(roots))
  }

  rootsOf(number: number): readonly Uint8Array[] {
    const stored = this.#roots.get(number)
    if (stored === undefined) return []
    return Array.from({ length: stored.length / 32 }, (_, index) =>
      Uint8Array.from(stored.subarray(32 * index, 32 * index + 32)),
    )
  }

  async close(): Promise<void> {
    await this.#root.close()
    this.#unlock()
  }
}

async function openStore(path: string, identity: ChainIdentity): Promise<RootDatabase> {
  // Loaded here only: it is native code, which chains in memory do not need.
  const { open } = await import('lmdb')
  const root = open({ path, maxDbs: 8 })
  const wanted = { format: FORMAT, ...identity }
  const found = root.get('identity') as typeof wanted | undefined
  if (found === undefined) root.putSync('identity', wanted)
  for (const name of Object.keys(found ?? {}) as (keyof typeof wanted)[]) {
    if (found?.[name] === wanted[name]) continue
    await root.close()
    throw new Error(
      `The chain in ${path} has ${name} ${String(found?.[name])}, and not ${String(wanted[name])}`,
    )
  }
  return root
}

function keyOf(hash: Hex): Buffer {
  return Buffer.from(bytesOf(hash))
}
