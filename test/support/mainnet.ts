// Loads a real mainnet block file: the block as eth_getBlockByNumber returns it, the state it
// touches, and the hashes BLOCKHASH may ask for. Authority on the file format.
// The state is partial, so the header's state root must not be expected; stock's root is the measure.
import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'

import { type Block, createBlockFromRPC, type JSONRPCBlock } from '@ethereumjs/block'
import { Common, Mainnet } from '@ethereumjs/common'
import type { EVMMockBlockchainInterface } from '@ethereumjs/evm'
import type { MerkleStateManager } from '@ethereumjs/statemanager'
import { hexToBytes, type PrefixedHexString } from '@ethereumjs/util'
import { createVM, type RunBlockOpts, type VM } from '@ethereumjs/vm'

import { testKzg } from './kzg.ts'
import { type AccountRecords, buildStateTemplate } from './state-template.ts'

interface MainnetFile {
  block: JSONRPCBlock
  preState: AccountRecords
  blockHashes: Record<string, PrefixedHexString>
}

export interface MainnetBlock {
  readonly number: bigint
  readonly path: string
  readonly hardfork: string
  /** Decoded once; the senders recovered by one run stay cached in its transactions. */
  readonly block: Block
  /** Whether per-transaction state roots are part of the receipts (before Byzantium). */
  readonly isPreByzantium: boolean
  readonly addresses: PrefixedHexString[]
  readonly runOptions: Omit<RunBlockOpts, 'block'>
  /** The same block decoded again: no sender is known yet. */
  freshBlock(): Block
  makeVm(options?: VmChoices): Promise<VM>
  /** The accounts and slots that the block touches, as the file has them. */
  readonly preState: AccountRecords
}

export interface VmChoices {
  caches?: boolean
  StateManager?: typeof MerkleStateManager
  /** Default: what ethereumjs takes. */
  keccak256?: (bytes: Uint8Array) => Uint8Array
}

export async function loadMainnetBlock(path: string): Promise<MainnetBlock> {
  const file: MainnetFile = JSON.parse(gunzipSync(readFileSync(path)).toString('utf8'))
  const forkAt = { blockNumber: BigInt(file.block.number), timestamp: BigInt(file.block.timestamp) }
  const common = mainnetCommon(forkAt)
  const template = await buildStateTemplate(common, file.preState)
  const freshBlock = (): Block =>
    createBlockFromRPC(file.block, [], { common: mainnetCommon(forkAt), setHardfork: true })
  return {
    number: forkAt.blockNumber,
    path,
    hardfork: common.hardfork(),
    block: freshBlock(),
    isPreByzantium: !common.gteHardfork('byzantium'),
    addresses: Object.keys(file.preState) as PrefixedHexString[],
    runOptions: { generate: true, skipBlockValidation: true },
    freshBlock,
    preState: file.preState,
    makeVm: async ({ caches = true, StateManager, keccak256 } = {}) => {
      const vmCommon = mainnetCommon(forkAt)
      if (keccak256 !== undefined) vmCommon.customCrypto.keccak256 = keccak256
      return await createVM({
        common: vmCommon,
        stateManager: template.copy(vmCommon, caches, StateManager),
        blockchain: new KnownHashes(file.blockHashes),
      })
    },
  }
}

/** Each VM gets its own: `Common` is mutable, and runBlock may set its hardfork. */
function mainnetCommon(forkAt: { blockNumber: bigint; timestamp: bigint }): Common {
  const common = new Common({ chain: Mainnet, customCrypto: { kzg: testKzg() } })
  common.setHardforkBy(forkAt)
  return common
}

class KnownHashes implements EVMMockBlockchainInterface {
  readonly #hashes: Record<string, PrefixedHexString>

  constructor(hashes: Record<string, PrefixedHexString>) {
    this.#hashes = hashes
  }

  async getBlock(number: number): Promise<{ hash(): Uint8Array }> {
    const hash = this.#hashes[String(number)]
    if (hash === undefined) throw new Error(`the block file has no hash of block ${number}`)
    return { hash: () => hexToBytes(hash) }
  }

  async putBlock(): Promise<void> {}

  shallowCopy(): KnownHashes {
    return this
  }
}
