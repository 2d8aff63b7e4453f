// The access list that a block brings (EIP-7928): in which forms it comes, and what is wrong with it.
// Authority on stock's checks and messages, and on their order; the comparison with what the block did
// is one of the header's (header-checks.ts).

import type { Block } from '@ethereumjs/block'
import {
  BlockLevelAccessList,
  createBlockLevelAccessListFromJSON,
  createBlockLevelAccessListFromRLP,
  EthereumJSErrorWithoutCode,
  isAccountOrderOnlyViolation,
  validateBlockAccessListGasLimit,
  validateBlockAccessListHash,
  validateBlockAccessListHashFromJSON,
  validateBlockAccessListJSONStructure,
  validateBlockAccessListStructure,
} from '@ethereumjs/util'
import type { RunBlockOpts, VM } from '@ethereumjs/vm'
import { accessListOf } from './committed-access-list.ts'
import { blockError } from './header-checks.ts'

/** The list among `runBlock`'s options. @throws stock's error for one that is malformed */
export function providedAccessList(
  vm: VM,
  options: RunBlockOpts,
): BlockLevelAccessList | undefined {
  if (!vm.common.isActivatedEIP(7928) || options.blockAccessList === undefined) return undefined
  const list = parse(options.blockAccessList, options)
  validateBlockAccessListStructure(list)
  return list
}

function parse(
  given: NonNullable<RunBlockOpts['blockAccessList']>,
  { block, generate }: RunBlockOpts,
): BlockLevelAccessList {
  // A block that is being made has no hash of its list yet.
  const hash = generate === true ? undefined : block.header.blockAccessListHash
  if (given instanceof BlockLevelAccessList || given instanceof Uint8Array) {
    const list = given instanceof Uint8Array ? createBlockLevelAccessListFromRLP(given) : given
    if (hash !== undefined) validateBlockAccessListHash(list, hash)
    return list
  }
  validateBlockAccessListJSONStructure(given)
  if (isAccountOrderOnlyViolation(given)) {
    throw EthereumJSErrorWithoutCode('invalid header: block access list accounts are not sorted')
  }
  if (hash !== undefined) validateBlockAccessListHashFromJSON(given, hash)
  return createBlockLevelAccessListFromJSON(given)
}

/** @throws stock's error if the block's list has more entries than its gas limit allows */
export function checkListSize(vm: VM, block: Block): void {
  const list = accessListOf(vm)
  if (list === undefined) return
  try {
    validateBlockAccessListGasLimit(list, block.header.gasLimit)
  } catch {
    throw blockError('block access list gas limit exceeded', vm, block)
  }
}
