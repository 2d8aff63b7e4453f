// Compares what a block did with what its header says. Authority on stock's messages for a header that
// does not fit; the order of the checks decides which message a block with several faults gets.

import type { Block } from '@ethereumjs/block'
import {
  type BlockLevelAccessList,
  bytesToHex,
  EthereumJSErrorWithoutCode,
  equalsBlockAccessList,
  equalsBytes,
} from '@ethereumjs/util'
import type { VM } from '@ethereumjs/vm'

/** What a block's execution gave, as far as headers state it. */
export interface BlockOutcome {
  requestsHash: Uint8Array | undefined
  receiptsRoot: Uint8Array
  logsBloom: Uint8Array
  gasUsed: bigint
  stateRoot: Uint8Array
}

/**
 * `provided` is the access list that came with the block (EIP-7928).
 * @throws stock's error for the first field that differs
 */
export function checkHeader(
  vm: VM,
  block: Block,
  outcome: BlockOutcome,
  provided: BlockLevelAccessList | undefined,
): void {
  const { header } = block
  if (
    vm.common.isActivatedEIP(7685) &&
    !equalsBytes(header.requestsHash as Uint8Array, outcome.requestsHash as Uint8Array)
  ) {
    throw blockError('invalid requestsHash', vm, block)
  }
  const listed = vm.evm.blockLevelAccessList
  if (
    provided !== undefined &&
    (listed === undefined || !equalsBlockAccessList(provided, listed))
  ) {
    throw blockError('invalid block access list', vm, block)
  }
  if (!equalsBytes(outcome.receiptsRoot, header.receiptTrie)) {
    throw blockError('invalid receiptTrie', vm, block)
  }
  if (!equalsBytes(outcome.logsBloom, header.logsBloom)) {
    throw blockError('invalid bloom', vm, block)
  }
  if (outcome.gasUsed !== header.gasUsed) throw blockError('invalid gasUsed', vm, block)
  if (!equalsBytes(outcome.stateRoot, header.stateRoot)) {
    throw blockError(wrongStateRoot(outcome.stateRoot, header.stateRoot), vm, block)
  }
}

/** What stock says of a state root that is not the header's. */
export function wrongStateRoot(got: Uint8Array, want: Uint8Array): string {
  return `invalid block stateRoot, got: ${bytesToHex(got)}, want: ${bytesToHex(want)}`
}

/** An error in the words of stock's runBlock. */
export function blockError(message: string, vm: VM, block: Block): Error {
  return blockErrors(vm, block)(message)
}

/** Makes such errors for later: they name VM and block as they are now. */
export function blockErrors(vm: VM, block: Block): (message: string) => Error {
  const where = `(${vm.errorStr()} -> ${block.errorStr()})`
  return (message) => EthereumJSErrorWithoutCode(`${message} ${where}`)
}
