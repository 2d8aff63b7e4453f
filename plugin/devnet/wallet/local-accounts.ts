// The accounts that a devnet signs for: its own, and those that clients impersonate.
// The authority on who may send without a signature of their own. Must not know balances or nonces.

import { privateToPublic, publicToAddress } from '@ethereumjs/util'
import type { Hex } from '../hex.ts'
import { hexOf } from '../hex.ts'
import { invalidInput } from '../rpc-error.ts'

export interface LocalAccount {
  readonly address: Hex
  readonly privateKey: Uint8Array
  readonly publicKey: Uint8Array
}

export class LocalAccounts {
  readonly all: readonly LocalAccount[]
  readonly #byAddress: ReadonlyMap<string, LocalAccount>
  readonly #impersonated = new Set<string>()

  constructor(privateKeys: readonly Uint8Array[]) {
    this.all = privateKeys.map((privateKey) => {
      const publicKey = privateToPublic(privateKey)
      return { privateKey, publicKey, address: hexOf(publicToAddress(publicKey)) }
    })
    this.#byAddress = new Map(this.all.map((account) => [account.address, account]))
  }

  /** Addresses are in lower case here and below. */
  find(address: string): LocalAccount | undefined {
    return this.#byAddress.get(address)
  }

  isImpersonated(address: string): boolean {
    return this.#impersonated.has(address)
  }

  impersonate(address: string): void {
    this.#impersonated.add(address)
  }

  /** Returns whether it was impersonated. */
  stopImpersonating(address: string): boolean {
    return this.#impersonated.delete(address)
  }

  stopAllImpersonating(): void {
    this.#impersonated.clear()
  }

  /** @throws RpcError for an address whose key is not known */
  get(address: string): LocalAccount {
    const account = this.find(address)
    if (account === undefined) throw invalidInput(`Unknown account ${address}`)
    return account
  }
}
