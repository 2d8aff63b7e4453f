// A block with the access list that it brings (EIP-7928): stock's, or one that a test has spoiled.
// Authority on nothing but the header, which names the list that is brought, so that it gets as far as
// being compared with what the block does.
import type { Block } from '@ethereumjs/block'
import {
  type BALJSONAccountChanges,
  type BALJSONBlockAccessList,
  createBlockLevelAccessListFromJSON,
  createBlockLevelAccessListFromRLP,
} from '@ethereumjs/util'
import { type RunBlockOpts, runBlock, type VM } from '@ethereumjs/vm'
import { keccak_256 } from '@noble/hashes/sha3.js'

import { withCheckedHeader } from './random-block.ts'

export type Spoil = (list: BALJSONBlockAccessList) => BALJSONBlockAccessList

export interface Brought {
  readonly block: Block
  readonly options: Omit<RunBlockOpts, 'block'>
}

/** Has stock run the block, on `vm`, and says how the block brings its list, spoiled or not. */
export async function listMaker(
  vm: VM,
  block: Block,
): Promise<(spoil?: Spoil) => Promise<Brought>> {
  const result = await runBlock(vm, { block, generate: true, skipBlockValidation: true })
  const right = createBlockLevelAccessListFromRLP(result.blockLevelAccessList!.serialize())
  return async (spoil = (list) => list) => {
    const list = createBlockLevelAccessListFromJSON(spoil(right.toJSON())).serialize()
    return {
      block: await withCheckedHeader(block, result, 'right', keccak_256(list)),
      options: { blockAccessList: list, skipHeaderValidation: true },
    }
  }
}

/** The entry of an account, which is added where there is none. */
export function entryOf(
  list: BALJSONBlockAccessList,
  address: { toString(): string },
): BALJSONAccountChanges {
  const name = address.toString() as `0x${string}`
  let entry = list.find((one) => one.address === name)
  if (entry === undefined) {
    entry = {
      address: name,
      balanceChanges: [],
      nonceChanges: [],
      codeChanges: [],
      storageChanges: [],
      storageReads: [],
    }
    list.push(entry)
    list.sort((a, b) => (a.address < b.address ? -1 : 1))
  }
  return entry
}
