// Explains a wrong state root: which accounts and slots differ between two Merkle states.
// A diagnosis for reports only; the verdict is the oracle's comparison of roots.
import type { MerkleStateManager } from '@ethereumjs/statemanager'
import {
  type Account,
  bytesToHex,
  createAddressFromString,
  type PrefixedHexString,
} from '@ethereumjs/util'

/** Lines like `0xabc… balance: stock 1, ours 2` for the addresses given. */
export async function explainStateDifference(
  stock: MerkleStateManager,
  ours: MerkleStateManager,
  addresses: Iterable<PrefixedHexString>,
  limit = 12,
): Promise<string[]> {
  const lines: string[] = []
  for (const text of new Set(addresses)) {
    if (lines.length >= limit) break
    const address = createAddressFromString(text)
    const [left, right] = [await stock.getAccount(address), await ours.getAccount(address)]
    if (left === undefined || right === undefined) {
      if (left !== right) lines.push(`${text}: stock ${presence(left)}, ours ${presence(right)}`)
      continue
    }
    for (const [field, a, b] of fieldsOf(left, right)) {
      if (a !== b) lines.push(`${text} ${field}: stock ${a}, ours ${b}`)
    }
    if (bytesToHex(left.storageRoot) !== bytesToHex(right.storageRoot)) {
      const [a, b] = [await stock.dumpStorage(address), await ours.dumpStorage(address)]
      for (const slot of new Set([...Object.keys(a), ...Object.keys(b)])) {
        if (a[slot] !== b[slot]) {
          lines.push(`${text} slot hash ${slot}: stock ${a[slot]}, ours ${b[slot]}`)
        }
      }
    }
  }
  return lines.slice(0, limit)
}

function presence(account: Account | undefined): string {
  return account === undefined ? 'absent' : `nonce ${account.nonce} balance ${account.balance}`
}

function fieldsOf(left: Account, right: Account): [string, string, string][] {
  return [
    ['nonce', String(left.nonce), String(right.nonce)],
    ['balance', String(left.balance), String(right.balance)],
    ['code hash', bytesToHex(left.codeHash), bytesToHex(right.codeHash)],
    ['storage root', bytesToHex(left.storageRoot), bytesToHex(right.storageRoot)],
  ]
}
