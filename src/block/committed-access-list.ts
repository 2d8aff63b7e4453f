// The access list of a parallel block (EIP-7928), transaction by transaction, as they are committed.
// Authority on where the parts come from and on the balances that they leave open; how parts add up is
// access/merge-access-list.ts's matter. System operations write to the same list, as stock's do.

import { type BlockLevelAccessList, hexToBytes, type PrefixedHexString } from '@ethereumjs/util'
import type { VM } from '@ethereumjs/vm'
import { mergeAccesses } from '../access/merge-access-list.ts'
import { decodeAccesses } from '../execution/access-list-codec.ts'
import { ACCOUNT, TRANSACTION, transactionIndex } from '../memory/layout.ts'
import { readSizedBytes } from '../memory/sized-bytes.ts'
import { readUint256 } from '../memory/word-codec.ts'
import type { BlockMemory } from './block-memory.ts'
import type { CommittedWrites } from './committed-writes.ts'

/** The VM's list, where blocks have one; left over from other rules it is not looked at. */
export function accessListOf({ evm, common }: VM): BlockLevelAccessList | undefined {
  return common.isActivatedEIP(7928) ? evm.blockLevelAccessList : undefined
}

/**
 * Adds what transaction number `index` lists to the VM's list, if blocks have one. `writes` are those
 * of the transactions before it, and not yet its own.
 */
export function listCommitted(
  vm: VM,
  memory: BlockMemory,
  writes: CommittedWrites,
  index: number,
): void {
  const list = accessListOf(vm)
  if (list === undefined) return
  const at = memory.control[transactionIndex(index, TRANSACTION.ACCESS_LIST)]
  const part = decodeAccesses(readSizedBytes(memory.block, at))
  const balanceBefore = (address: PrefixedHexString): bigint => {
    const record = memory.table.account(hexToBytes(address))
    const change = writes.accounts.get(record)
    if (change?.balance !== undefined) return change.balance + change.added
    const words = memory.state.reach(record + ACCOUNT.WORDS)
    return readUint256(words, record + ACCOUNT.BALANCE) + (change?.added ?? 0n)
  }
  mergeAccesses(list, index + 1, part, balanceBefore)
}
