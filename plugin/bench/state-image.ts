// A pre-state built once and handed out as any number of identical, independent, cold VMs.
// The authority on what both sides of a measurement start from: MerkleStateManager with Caches, or for ours
// a flat state where that is asked for.
// Must not share anything writable between two VMs: one run would warm the other's state.
import type { Common, StateManagerInterface } from '@ethereumjs/common'
import type { EVMMockBlockchainInterface } from '@ethereumjs/evm'
import { MerklePatriciaTrie } from '@ethereumjs/mpt'
import { Caches, MerkleStateManager } from '@ethereumjs/statemanager'
import {
  bigIntToBytes,
  createAccount,
  createAddressFromString,
  equalsBytes,
  MapDB,
  type PrefixedHexString,
} from '@ethereumjs/util'
import { createVM, type VM } from '@ethereumjs/vm'

import { createFlatState } from '../../src/index.ts'
import type { StateName } from './contender.ts'
import { toWord } from './solidity.ts'

export interface AccountState {
  readonly balance: bigint
  readonly nonce: bigint
  readonly code?: Uint8Array
  readonly storage?: ReadonlyMap<bigint, bigint>
}

export type PreState = ReadonlyMap<PrefixedHexString, AccountState>

export interface StateImage {
  readonly root: Uint8Array
  /** A VM of its own on this state, with empty caches, as after a start or a change of root. */
  freshVm(state?: StateName): Promise<VM>
}

/** Every run has one, and many may wait for the collector. */
const FLAT_STATE_MIB = 256

type NodeMap = Map<string, string>

/** Creates what answers BLOCKHASH in one VM; without it every block hash is zero. */
export type BlockchainFactory = () => EVMMockBlockchainInterface

export async function createStateImage(
  common: Common,
  preState: PreState,
  createBlockchain?: BlockchainFactory,
): Promise<StateImage> {
  const nodes: NodeMap = new Map()
  const state = stateOn(nodes, common)
  await putAccounts(state, preState)
  const root = await state.getStateRoot()
  return {
    root,
    async freshVm(state) {
      // `Common` is mutable and runBlock may set its hardfork.
      const ownCommon = common.copy()
      return await createVM({
        common: ownCommon,
        stateManager:
          state === 'flat'
            ? await flatStateOf(preState, ownCommon, root)
            : stateOn(new Map(nodes), ownCommon, root),
        ...(createBlockchain === undefined ? {} : { blockchain: createBlockchain() }),
      })
    },
  }
}

async function flatStateOf(
  preState: PreState,
  common: Common,
  root: Uint8Array,
): Promise<StateManagerInterface> {
  const state = await createFlatState({ common, maxStateMiB: FLAT_STATE_MIB })
  await putAccounts(state, preState)
  if (!equalsBytes(await state.getStateRoot(), root)) {
    throw new Error('a flat state has another root than a MerkleStateManager of the same accounts')
  }
  return state
}

async function putAccounts(state: StateManagerInterface, preState: PreState): Promise<void> {
  for (const [text, { balance, nonce, code, storage }] of preState) {
    const account = createAccount({ balance, nonce })
    const hasCode = code !== undefined && code.length > 0
    const hasStorage = storage !== undefined && storage.size > 0
    // An entry without content says that the account is absent; putting it would make it exist.
    if (account.isEmpty() && !hasCode && !hasStorage) continue
    const address = createAddressFromString(text)
    await state.putAccount(address, account)
    if (hasCode) await state.putCode(address, code)
    for (const [slot, value] of storage ?? []) {
      if (value !== 0n) await state.putStorage(address, toWord(slot), bigIntToBytes(value))
    }
  }
}

function stateOn(nodes: NodeMap, common: Common, root?: Uint8Array): MerkleStateManager {
  const trie = new MerklePatriciaTrie({
    useKeyHashing: true,
    common,
    db: new MapDB<string, string>(nodes),
    ...(root === undefined ? {} : { root }),
  })
  return new MerkleStateManager({ common, trie, caches: new Caches() })
}
