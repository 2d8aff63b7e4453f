// Takes a flat state from its store when it is opened, and puts there what commits change.
// Authority on what has to be stored: pages that were touched, and all that was given away since.
// Must be asked to save only when nothing is under way and the tries are up to date.

import { ParallelError } from '../errors.ts'
import { FLAT_ACCOUNT } from '../memory/flat-layout.ts'
import type { SharedRegion } from '../memory/shared-region.ts'
import type { FlatCodes } from './flat-codes.ts'
import type { FlatPages } from './flat-pages.ts'
import type { FlatStore } from './flat-store.ts'
import type { FlatTable } from './flat-table.ts'
import { leavesBelow } from './flat-trie.ts'
import type { FlatTries } from './flat-tries.ts'
import { hexOf } from './hex.ts'

/** The parts of a flat state. */
export interface FlatParts {
  readonly region: SharedRegion
  readonly table: FlatTable
  readonly codes: FlatCodes
  readonly tries: FlatTries
}

export class FlatDisk {
  readonly store: FlatStore
  readonly #parts: FlatParts
  readonly #pages: FlatPages
  /** Words of the region that are stored. */
  #stored = 0

  constructor(parts: FlatParts, store: FlatStore, pages: FlatPages) {
    this.#parts = parts
    this.store = store
    this.#pages = pages
  }

  /** Fills empty parts; returns the root, or `undefined` if nothing was ever stored. */
  load(): Uint8Array | undefined {
    const { region, table, codes, tries } = this.#parts
    const meta = this.store.load(region)
    if (meta === undefined) return undefined
    this.#stored = meta.used
    tries.top = meta.top
    tries.free.push(...meta.free)
    table.reserve(meta.accounts, meta.slots)
    const entries = new Set<number>()
    // What is not in a trie does not exist; its room is lost.
    for (const account of leavesBelow(region.words, meta.top)) {
      table.adopt(account)
      entries.add(region.words[account + FLAT_ACCOUNT.CODE])
    }
    entries.delete(0)
    for (const entry of entries) codes.adopt(entry)
    const root = tries.hasher.root(meta.top)
    if (hexOf(root) === meta.root) return root
    throw new ParallelError('BROKEN_STORE', 'A stored flat state has not the root that it names')
  }

  /** Stores what has changed since the last time. */
  save(root: Uint8Array): void {
    const { region, table, tries } = this.#parts
    // An allocation that failed has moved it past the end, where nothing lies.
    const used = Math.min(region.used(), region.words.length)
    if (used > this.#stored) this.#pages.touch(this.#stored, used - this.#stored)
    if (this.#pages.count === 0) return
    const { top, free } = tries
    const { accountCount: accounts, slotCount: slots } = table
    const meta = { used, top, free, accounts, slots, root: hexOf(root) }
    this.store.save(region, this.#pages.pages, meta)
    this.#pages.clear()
    this.#stored = used
  }
}
