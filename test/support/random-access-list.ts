// The access list that a random block brings, in each form that it can have, right or wrong.
// Authority on what a plan's `accessList` means; the right list is the one that stock makes.
// It must leave a wrong list well-formed where the plan does not say otherwise: it is to be refused for
// what the block does.
import {
  type BALJSONBlockAccessList,
  type BlockLevelAccessList,
  createBlockLevelAccessListFromJSON,
  createBlockLevelAccessListFromRLP,
  hashBlockAccessListFromJSON,
} from '@ethereumjs/util'
import type { RunBlockOpts } from '@ethereumjs/vm'
import { keccak_256 } from '@noble/hashes/sha3.js'

import { corrupted } from './corrupt-access-list.ts'
import type { BlockPlan } from './random-plan.ts'

export interface BroughtList {
  /** What `runBlock` is given; made anew for each run, since nobody may rely on whose it is. */
  given(): NonNullable<RunBlockOpts['blockAccessList']>
  /** What the header says of it. */
  readonly hash: Uint8Array
}

export function broughtList(
  right: BlockLevelAccessList,
  { accessList: how, corruptions }: Pick<BlockPlan, 'accessList' | 'corruptions'>,
): BroughtList | undefined {
  const rlp = right.serialize()
  // Through bytes, since what stock says of its own list as JSON is not always in its own order.
  const json = spoiled(createBlockLevelAccessListFromRLP(rlp).toJSON(), how, corruptions)
  const hash = right.hash()
  switch (how) {
    case 'none':
      return undefined
    case 'object':
    case 'whileMade':
      return { given: () => createBlockLevelAccessListFromRLP(rlp), hash }
    case 'rlp':
      return { given: () => Uint8Array.from(rlp), hash }
    case 'wrongHash':
      return { given: () => Uint8Array.from(rlp), hash: keccak_256(hash) }
    case 'json':
    case 'unsorted':
      return { given: () => structuredClone(json), hash: hashBlockAccessListFromJSON(json) }
    default: {
      const wrong = createBlockLevelAccessListFromJSON(json).serialize()
      return { given: () => Uint8Array.from(wrong), hash: keccak_256(wrong) }
    }
  }
}

function spoiled(
  json: BALJSONBlockAccessList,
  how: BlockPlan['accessList'],
  corruptions: readonly number[],
): BALJSONBlockAccessList {
  const middle = json[json.length >> 1]
  switch (how) {
    case 'unsorted':
      return json.reverse()
    case 'oneTooFew':
      return json.filter((account) => account !== middle)
    case 'oneTooMany':
      if (middle !== undefined) {
        middle.nonceChanges.push({ blockAccessIndex: '0x0fff', postNonce: '0x77' })
      }
      return json
    case 'corrupted':
      return corrupted(json, corruptions)
    case 'wrongValue':
      for (const account of json) {
        for (const change of account.balanceChanges) change.postBalance = '0x64'
        for (const change of account.nonceChanges.slice(1)) change.postNonce = '0x05'
        for (const slot of account.storageChanges) {
          for (const change of slot.slotChanges) change.postValue = '0x2a'
        }
        for (const change of account.codeChanges) change.newCode = '0x6001600055'
      }
      return json
    default:
      return json
  }
}
