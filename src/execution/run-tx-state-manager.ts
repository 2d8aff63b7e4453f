// The state manager that `runTx` itself sees, in front of the overlay that the EVM sees.
// Authority on telling the fee credit apart from a contract that looks at the coinbase: `runTx` credits
// after it has looked at the sender for the second time, and only then.

import type { AccountFields, StateManagerInterface } from '@ethereumjs/common'
import type { Account, Address } from '@ethereumjs/util'
import type { AccessListRecorder } from '../access/access-list-recorder.ts'
import { listedAddress } from '../access/listed-accesses.ts'
import { FeeAccount } from './lazy-account.ts'
import type { OverlayStateManager } from './overlay-state-manager.ts'

/**
 *   BEFORE --outermost message executed--> EXECUTED --sender looked at--> SETTLED
 *   SETTLED: the next look at the coinbase is the fee credit.
 */
const PHASE = { BEFORE: 0, EXECUTED: 1, SETTLED: 2 } as const

export class RunTxStateManager implements StateManagerInterface {
  readonly #overlay: OverlayStateManager
  readonly #accessList: AccessListRecorder | undefined
  readonly originalStorageCache: StateManagerInterface['originalStorageCache']
  #phase: number = PHASE.BEFORE
  #sender: Address | undefined
  #coinbase: Address | undefined

  constructor(overlay: OverlayStateManager, accessList: AccessListRecorder | undefined) {
    this.#overlay = overlay
    this.#accessList = accessList
    this.originalStorageCache = overlay.originalStorageCache
  }

  begin(sender: Address, coinbase: Address): void {
    this.#phase = PHASE.BEFORE
    this.#sender = sender
    this.#coinbase = coinbase
  }

  outermostExecuted(): void {
    this.#phase = PHASE.EXECUTED
  }

  async getAccount(address: Address): Promise<Account | undefined> {
    if (this.#phase === PHASE.SETTLED && this.#coinbase?.equals(address) === true) {
      if (await this.#overlay.mayCreditUnread(address)) {
        const before = this.#overlay.listedBalance(address)
        this.#accessList?.expectCredit(listedAddress(address), before)
        return new FeeAccount()
      }
    } else if (this.#phase === PHASE.EXECUTED && this.#sender?.equals(address) === true) {
      this.#phase = PHASE.SETTLED
    }
    return this.#overlay.getAccountWhole(address)
  }

  putAccount(address: Address, account?: Account): Promise<void> {
    return this.#overlay.putAccount(address, account)
  }
  deleteAccount(address: Address): Promise<void> {
    return this.#overlay.deleteAccount(address)
  }
  modifyAccountFields(address: Address, fields: AccountFields): Promise<void> {
    return this.#overlay.modifyAccountFields(address, fields)
  }
  putCode(address: Address, value: Uint8Array): Promise<void> {
    return this.#overlay.putCode(address, value)
  }
  getCode(address: Address): Promise<Uint8Array> {
    return this.#overlay.getCode(address)
  }
  getCodeSize(address: Address): Promise<number> {
    return this.#overlay.getCodeSize(address)
  }
  getStorage(address: Address, key: Uint8Array): Promise<Uint8Array> {
    return this.#overlay.getStorage(address, key)
  }
  putStorage(address: Address, key: Uint8Array, value: Uint8Array): Promise<void> {
    return this.#overlay.putStorage(address, key, value)
  }
  clearStorage(address: Address): Promise<void> {
    return this.#overlay.clearStorage(address)
  }
  checkpoint(): Promise<void> {
    return this.#overlay.checkpoint()
  }
  commit(): Promise<void> {
    return this.#overlay.commit()
  }
  revert(): Promise<void> {
    return this.#overlay.revert()
  }
  getAppliedKey(address: Uint8Array): Uint8Array {
    return this.#overlay.getAppliedKey(address)
  }
  getStateRoot(): Promise<Uint8Array> {
    return this.#overlay.getStateRoot()
  }
  setStateRoot(): Promise<void> {
    return this.#overlay.setStateRoot()
  }
  hasStateRoot(): Promise<boolean> {
    return this.#overlay.hasStateRoot()
  }
  clearCaches(): void {}
  shallowCopy(): StateManagerInterface {
    return this.#overlay.shallowCopy()
  }
}
