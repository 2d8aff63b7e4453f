// Keeps a flat state's memory on disk, in lmdb: the pages that a commit changed go there in one transaction.
// Authority on the form of such a store. Either all of a commit is in it or nothing, whenever the process
// ends; the tries' nodes are a part of it, so nothing is hashed when it is opened.

import { mkdirSync } from 'node:fs'
import type { RootDatabase } from 'lmdb'
import { REGION_HEADER_WORDS, type SharedRegion } from '../memory/shared-region.ts'
import { PAGE_WORDS } from './flat-pages.ts'
import { brokenStore, writeWhole } from './store-errors.ts'

/** Of another form than this, a store is not read. */
const FORMAT = 1
/** Before the pages, whose keys follow. */
const META_KEY = 0
const FIRST_PAGE_KEY = 1
/** More free branches than this are forgotten, which wastes their room and nothing else. */
const MOST_FREE = 10_000

/** What a store says besides the pages. */
export interface FlatMeta {
  /** Words of the region that are given away. */
  readonly used: number
  /** Top node of the accounts' trie. */
  readonly top: number
  readonly free: readonly number[]
  /** Records that the region has, more or less. */
  readonly accounts: number
  readonly slots: number
  /** In hex, without 0x. */
  readonly root: string
}

export class FlatStore {
  readonly #database: RootDatabase<Buffer, number>
  readonly #path: string
  /** Counts commits, and so tells whether somebody else wrote. */
  #sequence = 0

  private constructor(database: RootDatabase<Buffer, number>, path: string) {
    this.#database = database
    this.#path = path
  }

  /** Opens the store in a directory, which is made if there is none. */
  static async open(path: string): Promise<FlatStore> {
    // Loaded here only: it is native code, which states without a store do not need.
    const { open } = await import('lmdb')
    mkdirSync(path, { recursive: true })
    // With keys encoded as uint32, lmdb 3.5.6 fails on writing to what another process has written.
    const database = open<Buffer, number>({ path, encoding: 'binary' })
    return new FlatStore(database, path)
  }

  /** Fills an empty region; `undefined` if nothing was ever stored. @throws ParallelError `BROKEN_STORE` */
  load(region: SharedRegion): FlatMeta | undefined {
    const meta = this.#meta()
    if (meta === undefined) return undefined
    this.#sequence = meta.sequence
    region.allocate(meta.used - region.used())
    const { bytes } = region
    const pages = Math.ceil(meta.used / PAGE_WORDS)
    for (let page = 0; page < pages; page++) {
      // The region's own words are the region's.
      const start = page === 0 ? REGION_HEADER_WORDS : 0
      const stored = this.#database.getBinaryFast(FIRST_PAGE_KEY + page)
      const end = Math.min(PAGE_WORDS, meta.used - page * PAGE_WORDS)
      if (stored === undefined || stored.length < end * 4)
        throw brokenStore(this.#path, `page ${page} is missing`)
      bytes.set(stored.subarray(start * 4, end * 4), (page * PAGE_WORDS + start) * 4)
    }
    return meta
  }

  /**
   * Stores these pages of a region, and `meta`, or nothing.
   * @throws ParallelError `STORE_WRITE_FAILED`, `BROKEN_STORE`
   */
  save(region: SharedRegion, pages: readonly number[], meta: FlatMeta): void {
    writeWhole(this.#database, this.#path, () => this.#write(region, pages, meta))
    this.#sequence++
  }

  #write(region: SharedRegion, pages: readonly number[], meta: FlatMeta): void {
    const database = this.#database
    if ((this.#meta()?.sequence ?? 0) !== this.#sequence) {
      throw brokenStore(this.#path, 'somebody else has written to it')
    }
    const words = region.reach(meta.used)
    for (const page of pages) {
      const from = page * PAGE_WORDS
      // A copy that is not shared: lmdb takes no other.
      const copy = words.slice(from, Math.min(from + PAGE_WORDS, words.length))
      database.putSync(FIRST_PAGE_KEY + page, Buffer.from(copy.buffer))
    }
    const free = meta.free.slice(-MOST_FREE)
    const text = JSON.stringify({
      format: FORMAT,
      pageWords: PAGE_WORDS,
      sequence: this.#sequence + 1,
      ...meta,
      free,
    })
    database.putSync(META_KEY, Buffer.from(text))
  }

  /** Resolves when all that was saved is on the disk. */
  async flushed(): Promise<void> {
    await this.#database.flushed
  }

  async close(): Promise<void> {
    await this.#database.close()
  }

  #meta(): (FlatMeta & { sequence: number }) | undefined {
    const bytes = this.#database.getBinary(META_KEY)
    if (bytes === undefined) return undefined
    try {
      const meta = JSON.parse(bytes.toString('utf8'))
      if (meta.format === FORMAT && meta.pageWords === PAGE_WORDS) return meta
    } catch {
      // Said below.
    }
    throw brokenStore(this.#path, 'it is none, or of another version')
  }
}
