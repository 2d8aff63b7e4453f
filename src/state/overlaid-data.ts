// A flat state that is changes over something that does not move: what copies, and states on disk, have in
// common. Authority on nothing: the changes are state-overlay.ts's, what lies below is the heirs' matter.

import type { AccountFields } from './state-data.ts'
import type { StateOverlay } from './state-overlay.ts'

/** Whose code it is. */
interface CodeHolder {
  code(hash: Uint8Array): Uint8Array
  putCode(hash: Uint8Array, code: Uint8Array): void
}

export abstract class OverlaidData {
  abstract readonly base: CodeHolder
  protected abstract readonly overlay: StateOverlay

  account(address: Uint8Array): AccountFields | undefined {
    return this.overlay.account(address)
  }

  setAccount(address: Uint8Array, fields: AccountFields | undefined): void {
    this.overlay.setAccount(address, fields)
  }

  slot(address: Uint8Array, key: Uint8Array): Uint8Array {
    return this.overlay.slot(address, key)
  }

  setSlot(address: Uint8Array, key: Uint8Array, value: Uint8Array): void {
    this.overlay.setSlot(address, key, value)
  }

  clearSlots(address: Uint8Array): void {
    this.overlay.clearSlots(address)
  }

  emptyStorage(address: Uint8Array): void {
    this.overlay.emptyStorage(address)
  }

  code(hash: Uint8Array): Uint8Array {
    return this.base.code(hash)
  }

  putCode(hash: Uint8Array, code: Uint8Array): void {
    this.base.putCode(hash, code)
  }

  mark(): number {
    return this.overlay.mark()
  }

  takeBack(mark: number): void {
    this.overlay.takeBack(mark)
  }
}
