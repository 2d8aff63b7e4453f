// A state whose entries are on disk, or a copy of one: its own changes over what is stored.
// Authority on when changes are stored: when they are committed and their root is known. Until then they are
// in memory, all of them; so are those of copies, which are never stored.

import type { DiskBase, DiskVersion } from './disk-base.ts'
import { checkAccount } from './flat-records.ts'
import { KeptRoots } from './flat-versions.ts'
import type { NewNode } from './hash-nodes.ts'
import type { Keccak } from './keccak.ts'
import type { NodeSource } from './load-paths.ts'
import { OverlaidData } from './overlaid-data.ts'
import type { AccountFields, StateData } from './state-data.ts'
import { copyContents, type OverlayContents, StateOverlay } from './state-overlay.ts'

/** A root of a copy, and what it was taken of. */
interface CopiedRoot {
  readonly version: DiskVersion
  readonly contents: OverlayContents
}

export class DiskData extends OverlaidData implements StateData {
  readonly base: DiskBase
  /** Of the original itself there are none: its base keeps them. */
  readonly #kept: KeptRoots<CopiedRoot> | undefined
  #version: DiskVersion
  protected readonly overlay: StateOverlay
  /** Those of the last root that are not stored, by hash. */
  #nodes: ReadonlyMap<string, NewNode> = new Map()

  constructor(base: DiskBase, copied?: CopiedRoot, kept?: KeptRoots<CopiedRoot>) {
    super()
    this.base = base
    this.#version = copied?.version ?? base.present
    this.#kept = copied && (kept ?? new KeptRoots(base.kept.limit))
    const below = {
      account: (address: Uint8Array) => base.account(address, this.#version),
      slot: (address: Uint8Array, key: Uint8Array) => base.slot(address, key, this.#version),
    }
    this.overlay = new StateOverlay(below, copied?.contents)
    if (copied === undefined) this.overlay.reset(base.present.root)
  }

  /** A copy of what this was at `mark`, with the roots that this keeps. */
  copy(mark: number): DiskData {
    const copied = { version: this.#version, contents: this.overlay.copy(mark) }
    return new DiskData(this.base, copied, this.#kept?.copy())
  }

  get isCopy(): boolean {
    return this.#kept !== undefined
  }

  get keccak(): Keccak {
    return this.base.keccak
  }

  override setAccount(address: Uint8Array, fields: AccountFields | undefined): void {
    if (fields !== undefined) checkAccount(fields)
    super.setAccount(address, fields)
  }

  override slot(address: Uint8Array, key: Uint8Array): Uint8Array {
    // What is kept must not change with what somebody does to this.
    return super.slot(address, key).slice()
  }

  root(): Uint8Array {
    if (this.overlay.root === undefined) {
      this.#nodes = this.base.hash(this.overlay, this.#version)
    }
    return this.overlay.root ?? this.#version.root
  }

  /** The nodes of the last root. */
  nodes(): NodeSource {
    return this.base.source(this.#nodes)
  }

  committed(): void {
    const { root, contents } = this.overlay
    if (this.#kept === undefined && root !== undefined && isChanged(contents)) {
      this.base.commit(this.overlay, this.#nodes)
      this.restart()
    }
    this.keepRoot()
  }

  keepRoot(): void {
    this.overlay.forgetUndo()
    const { root } = this.overlay
    if (root === undefined) return
    this.#kept?.keep(root, { version: this.#version, contents: this.overlay.copy() })
  }

  has(root: Uint8Array): boolean {
    return this.#kept?.find(root) !== undefined || this.base.kept.find(root) !== undefined
  }

  goTo(root: Uint8Array): boolean {
    this.root()
    this.committed()
    const kept = this.#kept?.find(root)
    const version = kept?.version ?? this.base.kept.find(root)
    if (version === undefined) return false
    if (this.#kept !== undefined) {
      this.#version = version
      this.overlay.reset(root.slice(), kept && copyContents(kept.contents))
      // What is not stored of it is found again.
      if (kept !== undefined) this.overlay.root = undefined
      return true
    }
    try {
      this.base.goTo(version, this.overlay)
    } finally {
      this.restart()
    }
    return true
  }

  /** From the present version on, which is what is stored. */
  restart(): void {
    this.#version = this.base.present
    this.overlay.reset(this.#version.root)
    this.#nodes = new Map()
  }
}

function isChanged({ accounts, slots, cleared }: OverlayContents): boolean {
  return accounts.size + slots.size + cleared.size > 0
}
