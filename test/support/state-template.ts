// A pre-state built once and copied cheaply: each copy has its own database map and caches, so that
// no run can see another's writes. It must stay plain MerkleStateManager: the oracle runs on it too.
import type { Common } from '@ethereumjs/common'
import { MerklePatriciaTrie } from '@ethereumjs/mpt'
import { Caches, MerkleStateManager } from '@ethereumjs/statemanager'
import {
  createAccount,
  createAddressFromString,
  hexToBytes,
  MapDB,
  type PrefixedHexString,
  setLengthLeft,
} from '@ethereumjs/util'

export interface AccountRecord {
  balance?: PrefixedHexString | bigint
  nonce?: PrefixedHexString | bigint
  code?: PrefixedHexString
  storage?: Record<string, string>
}
export type AccountRecords = Record<string, AccountRecord>

type NodeMap = Map<string, string>

const nodesOfStates = new WeakMap<MerkleStateManager, NodeMap>()

export class StateTemplate {
  readonly root: Uint8Array
  readonly #nodes: NodeMap

  constructor(root: Uint8Array, nodes: NodeMap) {
    this.root = root
    this.#nodes = nodes
  }

  /** A state of one's own at the template's root; without caches every access walks the trie. */
  copy(
    common: Common,
    withCaches = true,
    StateManager: typeof MerkleStateManager = MerkleStateManager,
  ): MerkleStateManager {
    return stateOn(new Map(this.#nodes), this.root, common, withCaches, StateManager)
  }
}

/** Loads the records onto an empty state, or onto a copy of `base`. */
export async function buildStateTemplate(
  common: Common,
  records: AccountRecords,
  base?: StateTemplate,
): Promise<StateTemplate> {
  const state =
    base?.copy(common) ?? stateOn(new Map(), undefined, common, true, MerkleStateManager)
  await loadAccounts(state, records)
  return await captureState(state)
}

/** What a state made here has by now, for copies of it. */
export async function captureState(state: MerkleStateManager): Promise<StateTemplate> {
  const nodes = nodesOfStates.get(state)
  if (nodes === undefined) throw new Error('only a copy of a template can be captured')
  const root = await state.getStateRoot()
  return new StateTemplate(root, new Map(nodes))
}

export async function loadAccounts(
  state: MerkleStateManager,
  records: AccountRecords,
): Promise<void> {
  for (const [text, record] of Object.entries(records)) {
    const account = createAccount({
      balance: BigInt(record.balance ?? 0),
      nonce: BigInt(record.nonce ?? 0),
    })
    const code = record.code === undefined ? undefined : hexToBytes(record.code)
    const slots = Object.entries(record.storage ?? {})
    // An entry without any content says "absent", not "present and empty".
    if (account.isEmpty() && (code?.length ?? 0) === 0 && slots.length === 0) continue
    const address = createAddressFromString(text)
    await state.putAccount(address, account)
    if (code !== undefined && code.length > 0) await state.putCode(address, code)
    for (const [slot, value] of slots) {
      const bytes = hexToBytes(evenHex(value))
      await state.putStorage(address, setLengthLeft(hexToBytes(evenHex(slot)), 32), bytes)
    }
  }
  await state.flush()
}

function evenHex(text: string): PrefixedHexString {
  const digits = text.replace(/^0x/, '')
  return `0x${digits.length % 2 === 0 ? digits : `0${digits}`}`
}

function stateOn(
  nodes: NodeMap,
  root: Uint8Array | undefined,
  common: Common,
  withCaches: boolean,
  StateManager: typeof MerkleStateManager,
): MerkleStateManager {
  const trie = new MerklePatriciaTrie({
    useKeyHashing: true,
    common,
    db: new MapDB<string, string>(nodes),
    ...(root === undefined ? {} : { root }),
  })
  const state = new StateManager({
    common,
    trie,
    ...(withCaches ? { caches: new Caches() } : {}),
  })
  nodesOfStates.set(state, nodes)
  return state
}
