// The writes that an EIP-7928 block access list declares, transaction by transaction.
// Authority on which entry belongs to which transaction. Must not be taken for all that is touched:
// reads are listed for the block as a whole, so they are nobody's.
import { type BlockLevelAccessList, hexToBytes, type PrefixedHexString } from '@ethereumjs/util'

import { type AccessSink, CERTAIN, type LocationField } from './access-sink.ts'
import type { TransactionFacts } from './transaction-facts.ts'
import { compareBytes, padded } from './word.ts'

interface DeclaredWrite {
  readonly field: LocationField
  readonly address: Uint8Array
  readonly key: Uint8Array | undefined
}

/** What one transaction writes, by its position in the block, 0-based. */
export type DeclaredWrites = ReadonlyMap<number, readonly DeclaredWrite[]>

/**
 * Sorts a block access list by transaction. Index 0 of the list is what happens before the
 * transactions and the index behind the last what happens after them; transaction i has index i + 1.
 */
export function declaredWrites(
  list: Pick<BlockLevelAccessList, 'accesses'>,
): Map<number, DeclaredWrite[]> {
  const byTransaction = new Map<number, DeclaredWrite[]>()
  const note = (accessIndex: number, write: DeclaredWrite): void => {
    if (accessIndex === 0) return
    const writes = byTransaction.get(accessIndex - 1)
    if (writes === undefined) byTransaction.set(accessIndex - 1, [write])
    else writes.push(write)
  }
  for (const [text, access] of Object.entries(list.accesses)) {
    const address = hexToBytes(text as PrefixedHexString)
    const field = (name: LocationField): DeclaredWrite => ({ field: name, address, key: undefined })
    for (const index of access.balanceChanges.keys()) note(index, field('balance'))
    for (const index of access.nonceChanges.keys()) note(index, field('nonce'))
    for (const [index] of access.codeChanges) note(index, field('code'))
    for (const [slot, changes] of Object.entries(access.storageChanges)) {
      // Keys come without leading zeros.
      const key = padded(slot === '0x' ? new Uint8Array(0) : hexToBytes(slot as PrefixedHexString))
      for (const [index] of changes) note(index, { field: 'slot', address, key })
    }
  }
  return byTransaction
}

/**
 * Reports what the list says that transaction number `index` writes. The list does not tell a balance
 * that merely grew: those of the coinbase and of the recipient are taken for such, since almost all are.
 */
export function predictListed(
  writes: DeclaredWrites,
  index: number,
  facts: TransactionFacts,
  sink: AccessSink,
): void {
  for (const { field, address, key } of writes.get(index) ?? []) {
    if (field === 'slot') sink.slot(address, key!, 'write', CERTAIN)
    else if (field !== 'balance') sink[field](address, 'write', CERTAIN)
    else sink.balance(address, isPaid(address, facts) ? 'delta' : 'write', CERTAIN)
  }
}

function isPaid(address: Uint8Array, { sender, to, coinbase }: TransactionFacts): boolean {
  const is = (other: Uint8Array | undefined): boolean =>
    other !== undefined && compareBytes(address, other) === 0
  return !is(sender) && (is(coinbase) || is(to))
}
