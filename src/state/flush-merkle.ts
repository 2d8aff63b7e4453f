// Writes what a MerkleStateManager has in its caches into its tries, one batch for each trie.
// Authority on being equal to the manager's own `flush`: tries, caches, undo records, and code.
// Must not go through methods of the manager that write: somebody may be watching those for changes.

import { RLP } from '@ethereumjs/rlp'
import { CODEHASH_PREFIX, type MerkleStateManager } from '@ethereumjs/statemanager'
import { Account, Address, concatBytes } from '@ethereumjs/util'
import { bytesOfHex } from './hex.ts'
import { type Keccak, loadKeccak } from './keccak.ts'
import { internalsOf, type ManagerInternals, trieCacheOf } from './merkle-manager.ts'
import { getAccount, type ReadAhead, readAccountsAhead } from './merkle-reads.ts'
import { isBatchable, type StockChange, updateOneByOne, updateStockTrie } from './stock-trie.ts'
import { warmStorage } from './warm-storage.ts'

/** The slots of one account that are to be written. */
interface SlotChanges {
  readonly address: Address
  readonly addressHex: string
  readonly changes: StockChange[]
}

/**
 * Does what `manager.flush()` does, in one pass over each trie. The manager must be one that `canFlush`
 * accepts. Slots may be in the storage cache alone, or in the trie already, as `putStorage` leaves them.
 * What differs: nodes of states in between are not stored, and the caches count fewer accesses.
 */
export async function flushMerkleStateManager(manager: MerkleStateManager): Promise<void> {
  const keccak = await loadKeccak()
  const internals = internalsOf(manager)
  await flushCode(internals, keccak)
  await flushStorage(internals, keccak)
  await flushAccounts(internals, keccak)
}

/** Slots of an account with their values, without leading zeros. */
export interface WrittenSlots {
  readonly address: Address
  readonly slots: readonly { readonly key: Uint8Array; readonly value: Uint8Array }[]
}

/**
 * Brings storage tries and storage roots up to slots that were put into the storage cache, where they stay
 * as changes: what the manager's `putStorage` does one by one. Unlike a flush it is undone by `revert`. The
 * manager must be one that `canFlush` accepts.
 */
export async function rootStorage(
  manager: MerkleStateManager,
  written: readonly WrittenSlots[],
): Promise<void> {
  const groups = written.map(({ address, slots }) => ({
    address,
    addressHex: address.toString().slice(2),
    changes: slots.map(({ key, value }) => ({
      key,
      value: value.length === 0 ? null : RLP.encode(value),
    })),
  }))
  await flushGroups(internalsOf(manager), groups, await loadKeccak())
}

async function flushCode(manager: ManagerInternals, keccak: Keccak): Promise<void> {
  const { account: accounts, code: codes } = manager._caches
  const items = (codes?.flush() ?? []).flatMap(([addressHex, { code }]) =>
    code === undefined ? [] : [{ address: addressOf(addressHex), code }],
  )
  const addresses = items.map(({ address }) => address)
  const ahead = await readAccountsAhead(manager, addresses, keccak)
  for (const { address, code } of items) {
    const codeHash = keccak(code)
    const key = manager._prefixCodeHashes ? concatBytes(CODEHASH_PREFIX, codeHash) : codeHash
    await manager._trie.database().put(key, code)
    const account = (await getAccount(manager, address, ahead)) ?? new Account()
    account.codeHash = codeHash
    accounts.put(address, account)
  }
}

async function flushStorage(manager: ManagerInternals, keccak: Keccak): Promise<void> {
  const groups: SlotChanges[] = []
  for (const [addressHex, slotHex, value] of manager._caches.storage.flush()) {
    let group = groups.at(-1)
    // The items of an account are next to each other.
    if (group?.addressHex !== addressHex) {
      group = { address: addressOf(addressHex), addressHex, changes: [] }
      groups.push(group)
    }
    group.changes.push({ key: bytesOfHex(slotHex), value: encodedOrNull(value) })
  }
  await flushGroups(manager, groups, keccak)
}

async function flushGroups(
  manager: ManagerInternals,
  groups: readonly SlotChanges[],
  keccak: Keccak,
): Promise<void> {
  const addresses = groups.map(({ address }) => address)
  const ahead = await readAccountsAhead(manager, addresses, keccak)
  await warmStorage(manager, groups, ahead, keccak)
  for (const group of groups) await flushSlots(manager, group, ahead, keccak)
}

async function flushSlots(
  manager: ManagerInternals,
  { address, addressHex, changes }: SlotChanges,
  ahead: ReadAhead,
  keccak: Keccak,
): Promise<void> {
  const account = await getAccount(manager, address, ahead)
  if (account === undefined) return
  const trie = manager._getStorageTrie(keccak(address.bytes), account)
  if (isBatchable(trie)) await updateStockTrie(trie, changes, keccak, trieCacheOf(manager))
  else await updateOneByOne(trie, changes)
  // Stock finds storage tries by the address's hash, yet also notes them by the address when it writes.
  manager._storageTries[addressHex] = trie
  account.storageRoot = trie.root()
  manager._caches.account.put(address, account)
}

async function flushAccounts(manager: ManagerInternals, keccak: Keccak): Promise<void> {
  const items = manager._caches.account.flush()
  const changes = items.map(([addressHex, { accountRLP }]) => ({
    key: bytesOfHex(addressHex),
    value: accountRLP ?? null,
  }))
  await updateStockTrie(manager._trie, changes, keccak, trieCacheOf(manager))
}

/** A slot's RLP; `null`, which deletes, for the RLP of nothing and for a slot that was cleared. */
function encodedOrNull(value: Uint8Array | undefined): Uint8Array | null {
  if (value === undefined) return null
  // A string of 2 to 32 bytes after its length is what nearly all of them are.
  if (value.length > 2 && value.length <= 33 && value[0] === 0x7f + value.length) return value
  const decoded = RLP.decode(value)
  return decoded instanceof Uint8Array && decoded.length > 0 ? value : null
}

function addressOf(addressHex: string): Address {
  return new Address(bytesOfHex(addressHex))
}
