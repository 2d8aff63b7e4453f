// Makes a chain and its state: new ones, or those that a directory has.
// The authority on where in the directory what lies.

import { join } from 'node:path'
import type { Block } from '@ethereumjs/block'
import { createFlatState, type FlatState } from '../../../src/index.ts'
import type { ChainRules } from '../chain-rules.ts'
import type { ResolvedDevnetOptions } from '../devnet-options.ts'
import { bytesOf, type Hex } from '../hex.ts'
import { firstWord } from '../miner/random-words.ts'
import { invalidInput } from '../rpc-error.ts'
import { MemoryArchive } from './block-archive.ts'
import { Chain } from './chain.ts'
import { createGenesis } from './genesis.ts'
import { LmdbArchive } from './lmdb-archive.ts'

/** States are let go by what they take, not by their number (state-roots.ts). */
const ANY_NUMBER = 2 ** 31 - 1

export interface Beginning {
  readonly rules: ChainRules
  readonly options: ResolvedDevnetOptions
  /** Accounts that have Ether from the start. */
  readonly addresses: readonly Hex[]
  /** Wei of each. */
  readonly balances: readonly bigint[]
  /** Unix time in seconds. */
  readonly time: () => bigint
}

/** @throws Error if the directory has something else, or is in use */
export async function openChain(beginning: Beginning): Promise<Chain> {
  const { rules, options } = beginning
  const { dataDir, chainId, hardfork } = options
  if (dataDir === undefined) {
    const state = await newState(rules)
    return Chain.create(rules, state, new MemoryArchive(), await genesisOn(state, beginning))
  }
  const archive = await LmdbArchive.open(join(dataDir, 'chain'), { chainId, hardfork })
  let state: FlatState | undefined
  try {
    state = await createFlatState({
      common: rules.stateCommon,
      keptRoots: ANY_NUMBER,
      store: { path: join(dataDir, 'state') },
    })
    const found = await Chain.open(rules, state, archive)
    return found ?? Chain.create(rules, state, archive, await genesisOn(state, beginning))
  } catch (error) {
    // Whoever hears of it may set it right and try again.
    await state?.close()
    await archive.close()
    throw error
  }
}

/** @throws RpcError for a chain on disk */
export async function restartChain(chain: Chain, beginning: Beginning): Promise<void> {
  if (beginning.options.dataDir !== undefined) {
    throw invalidInput(
      'hardhat_reset is not supported with a data directory; stop the node and remove the directory',
    )
  }
  const state = await newState(beginning.rules)
  chain.restart(state, await genesisOn(state, beginning))
}

function newState({ stateCommon }: ChainRules): Promise<FlatState> {
  return createFlatState({ common: stateCommon, keptRoots: ANY_NUMBER })
}

function genesisOn(
  state: FlatState,
  { rules, options, addresses, balances, time }: Beginning,
): Promise<Block> {
  return createGenesis(rules, state, {
    addresses,
    balances,
    gasLimit: options.blockGasLimit,
    baseFeePerGas: options.initialBaseFeePerGas,
    timestamp: time(),
    mixHash: bytesOf(firstWord('randomMixHashSeed')),
  })
}
