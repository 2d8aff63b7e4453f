// State managers that are not stock's own, made of one that is: they count, wait, hide their methods.
// Authority on how other people's managers may look from outside; each answers as the one within.
// It must not change what is stored.
import type { StateManagerInterface } from '@ethereumjs/common'
import { MerkleStateManager, SimpleStateManager } from '@ethereumjs/statemanager'
import { type Address, bytesToHex, concatBytes } from '@ethereumjs/util'
import { keccak_256 } from '@noble/hashes/sha3.js'

/** Passes everything on, and counts. */
export function counting(inner: MerkleStateManager): {
  manager: StateManagerInterface
  calls: Map<string, number>
} {
  const calls = new Map<string, number>()
  const manager = Object.create(null) as Record<string, unknown>
  for (const name of methodNames(inner)) {
    manager[name] = (...args: unknown[]): unknown => {
      calls.set(name, (calls.get(name) ?? 0) + 1)
      return (inner as unknown as Record<string, (...args: unknown[]) => unknown>)[name]!(...args)
    }
  }
  manager.originalStorageCache = inner.originalStorageCache
  const wrapper = Object.create(manager) as StateManagerInterface
  return { manager: wrapper, calls }
}

export function delaying(inner: MerkleStateManager): StateManagerInterface {
  const { manager } = counting(inner)
  const wait = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 3))
  return Object.assign(manager, {
    getAccount: (address: Address) => wait().then(() => inner.getAccount(address)),
    getCode: (address: Address) => wait().then(() => inner.getCode(address)),
    getStorage: (address: Address, key: Uint8Array) =>
      wait().then(() => inner.getStorage(address, key)),
  })
}

export function proxied(inner: MerkleStateManager): StateManagerInterface {
  return new Proxy(inner, {})
}

export function withOwnMethods(inner: MerkleStateManager): MerkleStateManager {
  for (const name of methodNames(inner)) {
    const methods = inner as unknown as Record<string, (...args: unknown[]) => unknown>
    const method = methods[name]!
    methods[name] = (...args) => method.apply(inner, args)
  }
  return inner
}

function methodNames(manager: MerkleStateManager): string[] {
  return Object.getOwnPropertyNames(MerkleStateManager.prototype).filter(
    (name) =>
      name !== 'constructor' &&
      !name.startsWith('_') &&
      typeof (manager as unknown as Record<string, unknown>)[name] === 'function',
  )
}

/** Stock's plain maps, with a hash of everything for a root. */
export class RootedStateManager extends SimpleStateManager {
  override async getStateRoot(): Promise<Uint8Array> {
    const lines = [...this.topAccountStack()]
      .filter(([, account]) => account !== undefined)
      .map(([address, account]) => `${address} ${bytesToHex(account!.serialize())}`)
    for (const [slot, value] of this.topStorageStack()) {
      if (value.some((byte) => byte !== 0)) lines.push(`${slot} ${bytesToHex(value)}`)
    }
    for (const [address, code] of this.topCodeStack()) lines.push(`${address} ${bytesToHex(code)}`)
    return keccak_256(concatBytes(...lines.sort().map((line) => new TextEncoder().encode(line))))
  }
}
