// Watches a state manager for writes that are not ours: by system calls, rewards, and listeners.
// Authority on which kept base values such a write makes void. Never changes what a call does.

import type { StateManagerInterface } from '@ethereumjs/common'
import type { Address } from '@ethereumjs/util'
import type { BlockMemory } from './block-memory.ts'

type Method = (...args: never[]) => unknown

/** Methods that write one account. */
const ACCOUNT_METHODS = ['putAccount', 'modifyAccountFields', 'putCode'] as const
/** Methods that write an account and all of its storage. */
const WHOLE_METHODS = ['deleteAccount', 'clearStorage'] as const
/** Methods that can change anything. */
const STATE_METHODS = ['setStateRoot', 'revert', 'consumeBAL', 'generateCanonicalGenesis'] as const

export class StateWriteWatch {
  /**
   * While workers use the memory, it must not change under them: writes are counted then, and who
   * finds some counted forgets everything when the workers have ended.
   */
  onlyCounts = false
  readonly #manager: Record<string, Method>
  readonly #memory: BlockMemory
  readonly #covered: { name: string; cover: Method; own: PropertyDescriptor | undefined }[] = []
  #writes = 0

  constructor(manager: StateManagerInterface, memory: BlockMemory) {
    this.#manager = manager as unknown as Record<string, Method>
    this.#memory = memory
  }

  /** Names of the methods of the class that are covered now; not those that the user had replaced. */
  get covered(): string[] {
    return this.#covered.flatMap(({ name, own }) => (own === undefined ? [name] : []))
  }

  /** Writes seen so far. */
  get writes(): number {
    return this.#writes
  }

  /** Starts watching: methods of the instance are covered by ones that look and pass on. */
  start(): void {
    for (const name of ACCOUNT_METHODS) {
      this.#cover(name, (address: Address) => this.#memory.forgetAccount(address.bytes))
    }
    for (const name of WHOLE_METHODS) {
      this.#cover(name, (address: Address) => this.#memory.forgetWholeAccount(address.bytes))
    }
    this.#cover('putStorage', (address: Address, key: Uint8Array) => {
      if (key.length === 32) this.#memory.forgetSlot(address.bytes, key)
    })
    for (const name of STATE_METHODS) this.#cover(name, () => this.#memory.forget())
  }

  /** Stops watching and uncovers the methods. */
  stop(): void {
    for (const { name, cover, own } of this.#covered) {
      // Somebody may have put a cover of his own on top in the meantime.
      if (this.#manager[name] !== cover) continue
      if (own === undefined) delete this.#manager[name]
      else Object.defineProperty(this.#manager, name, own)
    }
    this.#covered.length = 0
  }

  #cover(name: string, look: (...args: never[]) => void): void {
    const original = this.#manager[name]
    if (typeof original !== 'function') return
    const own = Object.getOwnPropertyDescriptor(this.#manager, name)
    const cover = (...args: never[]): unknown => {
      this.#writes++
      if (!this.onlyCounts) look(...args)
      return original.apply(this.#manager, args)
    }
    this.#manager[name] = cover
    this.#covered.push({ name, cover, own })
  }
}
