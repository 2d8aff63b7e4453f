// Block zero and the state below it: accounts with Ether, and the system contracts of the hardfork.
// The authority on what a new chain starts from.

import { type Block, createBlock } from '@ethereumjs/block'
import type { Alloc, FlatState } from '../../../src/index.ts'
import type { ChainRules } from '../chain-rules.ts'
import { type Hex, hexOf } from '../hex.ts'

/** EIP-4788: roots of beacon blocks by timestamp. */
const BEACON_ROOTS = {
  address: '0x000f3df6d732807ef1319fb7b8bb8522d0beac02',
  code: '0x3373fffffffffffffffffffffffffffffffffffffffe14604d57602036146024575f5ffd5b5f35801560495762001fff810690815414603c575f5ffd5b62001fff01545f5260205ff35b5f5ffd5b62001fff42064281555f359062001fff015500',
} as const
/** EIP-2935: hashes of the last 8,191 blocks. */
const BLOCK_HASHES = {
  address: '0x0000f90827f1c53a10cb7a02335b175320002935',
  code: '0x3373fffffffffffffffffffffffffffffffffffffffe14604657602036036042575f35600143038111604257611fff81430311604257611fff9006545f5260205ff35b5f5ffd5b5f35611fff60014303065500',
} as const

export interface GenesisOptions {
  readonly addresses: readonly Hex[]
  /** Wei of each, in their order. */
  readonly balances: readonly bigint[]
  readonly gasLimit: bigint
  readonly baseFeePerGas: bigint
  /** Unix time in seconds. */
  readonly timestamp: bigint
  /** 32 bytes, where the first block's randomness comes from. */
  readonly mixHash: Uint8Array
}

/** Fills an empty state and returns block zero. */
export async function createGenesis(
  rules: ChainRules,
  state: FlatState,
  options: GenesisOptions,
): Promise<Block> {
  const { common } = rules
  const alloc: Record<string, { balance: bigint; nonce?: bigint; code?: Hex }> = {}
  for (const [index, address] of options.addresses.entries()) {
    alloc[address] = { balance: options.balances[index] ?? 0n }
  }
  if (common.isActivatedEIP(4788)) {
    alloc[BEACON_ROOTS.address] = { balance: 0n, nonce: 1n, code: BEACON_ROOTS.code }
  }
  if (common.isActivatedEIP(2935)) {
    alloc[BLOCK_HASHES.address] = { balance: 0n, nonce: 1n, code: BLOCK_HASHES.code }
  }
  const stateRoot = await state.importAlloc(alloc satisfies Alloc)
  const { gasLimit, baseFeePerGas, timestamp, mixHash } = options
  const header = {
    number: 0n,
    stateRoot: hexOf(stateRoot),
    gasLimit,
    baseFeePerGas,
    timestamp,
    mixHash,
    difficulty: 0n,
  }
  const withdrawals = common.isActivatedEIP(4895) ? { withdrawals: [] } : {}
  return createBlock({ header, ...withdrawals }, { common })
}
