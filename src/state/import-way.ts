// How a state gets through an import: what it lets go of on the way, and how it gets back if that fails.
// Authority on what a failed import leaves: the state as it was, with the roots that it kept. A state that was
// empty lets go of all on the way, so that it can become as large as it is allowed to.

import { FLAT_ACCOUNT } from '../memory/flat-layout.ts'
import { bytesOfWords } from '../memory/word-codec.ts'
import type { DiskData } from './disk-data.ts'
import type { FlatData } from './flat-data.ts'
import { leavesBelow } from './flat-trie.ts'
import type { Version } from './flat-versions.ts'

/** Accounts that are removed before what they were is let go. */
const BATCH = 1_000

export interface ImportWay {
  /** What was imported by now need not be kept apart any more. */
  letGo(): void
  /** All is imported. */
  finish(): void
  /** Leaves the state as it was, whatever was imported by now. */
  takeBack(): void
}

export class FlatImportWay implements ImportWay {
  readonly #data: FlatData
  /** The state from before; none where there was nothing, which needs no way back. */
  readonly #before: Version | undefined
  /** Nothing where there was nothing, so that what comes between can be let go. */
  readonly #bringRootsBack: () => void = () => {}

  constructor(data: FlatData) {
    this.#data = data
    data.root()
    data.committed()
    const forgotten = data.forgetRoots()
    if (data.table.accountCount === 0) return
    this.#before = data.present
    this.#bringRootsBack = forgotten
  }

  letGo(): void {
    this.#data.versionAt(this.#data.mark())
  }

  finish(): void {
    this.#data.committed()
  }

  takeBack(): void {
    const data = this.#data
    data.takeBack(0)
    data.root()
    if (this.#before !== undefined) data.moveTo(this.#before)
    else this.#removeAll()
    this.#bringRootsBack()
    data.keepRoot()
  }

  #removeAll(): void {
    const data = this.#data
    const { words } = data.region
    const addresses = Array.from(leavesBelow(words, data.tries.top), (leaf) =>
      bytesOfWords(words, leaf + FLAT_ACCOUNT.ADDRESS, 5),
    )
    for (const [i, address] of addresses.entries()) {
      data.setAccount(address, undefined)
      if (i % BATCH === 0) this.letGo()
    }
    data.root()
    this.letGo()
  }
}

/** Into an empty store in pieces, which are void until the last one is there; otherwise at once. */
export class DiskImportWay implements ImportWay {
  readonly #data: DiskData
  readonly #wasEmpty: boolean
  readonly #bringRootsBack: () => void

  constructor(data: DiskData) {
    this.#data = data
    data.root()
    data.committed()
    this.#wasEmpty = data.base.isEmpty
    this.#bringRootsBack = data.base.kept.clear()
    data.base.store.isPartial = this.#wasEmpty
  }

  letGo(): void {
    if (!this.#wasEmpty) return
    this.#data.root()
    this.#data.committed()
    this.#data.base.kept.clear()
  }

  finish(): void {
    this.letGo()
    const { base } = this.#data
    base.store.isPartial = false
    this.#data.committed()
    if (this.#wasEmpty) base.storeNothing()
    base.kept.keep(base.present.root, base.present)
  }

  takeBack(): void {
    const { base } = this.#data
    this.#data.takeBack(0)
    if (this.#wasEmpty) {
      base.store.isPartial = false
      base.clear()
      this.#data.restart()
    } else {
      this.#bringRootsBack()
    }
    base.kept.keep(base.present.root, base.present)
  }
}
