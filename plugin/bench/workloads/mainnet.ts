// Real mainnet blocks from files N.json.gz: the block as eth_getBlockByNumber returns it, the state
// it touches, and the hashes BLOCKHASH may ask for. The authority on the file format and its checks.
// Must not trust a file: a block that stock cannot reproduce is refused with the file's name.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'

import { createBlockFromRPC, type JSONRPCBlock } from '@ethereumjs/block'
import { Common, Hardfork, Mainnet } from '@ethereumjs/common'
import type { EVMMockBlockchainInterface } from '@ethereumjs/evm'
import { bytesToHex, hexToBytes, type PrefixedHexString } from '@ethereumjs/util'
import { pluginError } from '../../plugin-error.ts'
import { type BenchCase, prepareCase } from '../bench-case.ts'
import type { Kzg } from '../kzg.ts'
import { type AccountState, createStateImage, type PreState } from '../state-image.ts'

interface AccountRecord {
  readonly balance: string
  readonly nonce: string
  readonly code?: PrefixedHexString
  readonly storage?: Readonly<Record<string, string>>
}

export interface MainnetFile {
  readonly block: JSONRPCBlock
  readonly preState: Readonly<Record<PrefixedHexString, AccountRecord>>
  readonly blockHashes: Readonly<Record<string, PrefixedHexString>>
}

const FILE_NAME = /^\d+\.json\.gz$/
const BLOB_TRANSACTION = 3n

/** The block files of a folder by ascending number; none where the folder does not exist. */
export function listBlockFiles(folder: string): string[] {
  if (!existsSync(folder)) return []
  return readdirSync(folder)
    .filter((name) => FILE_NAME.test(name))
    .sort((first, second) => Number.parseInt(first, 10) - Number.parseInt(second, 10))
    .map((name) => join(folder, name))
}

/** The union of two lists of files; of two files of one block the first stays. */
export function mergeBlockFiles(first: readonly string[], second: readonly string[]): string[] {
  const byNumber = new Map<number, string>()
  for (const file of [...first, ...second]) {
    const number = Number.parseInt(basename(file), 10)
    if (!byNumber.has(number)) byNumber.set(number, file)
  }
  return [...byNumber].sort(([one], [other]) => one - other).map(([, file]) => file)
}

export async function readMainnetFile(path: string): Promise<MainnetFile> {
  let content: Partial<MainnetFile>
  try {
    const text = await promisify(gunzip)(readFileSync(path))
    content = JSON.parse(text.toString('utf8')) as Partial<MainnetFile>
  } catch (error) {
    throw pluginError(`${path} is not a gzipped JSON file of a block`, error)
  }
  const { block, preState, blockHashes } = content
  if (block === undefined || preState === undefined || blockHashes === undefined) {
    throw pluginError(`${path} must have the properties block, preState and blockHashes`)
  }
  return { block, preState, blockHashes }
}

export function hasBlobTransactions({ block }: MainnetFile): boolean {
  return block.transactions.some(
    (transaction) => typeof transaction === 'object' && isBlobType(transaction.type),
  )
}

/** A case for the block; `kzg` must be given for a block with blob transactions. */
export async function createMainnetCase(
  path: string,
  file: MainnetFile,
  kzg?: Kzg,
): Promise<BenchCase> {
  const common = new Common({
    chain: Mainnet,
    ...(kzg === undefined ? {} : { customCrypto: { kzg } }),
  })
  common.setHardforkBy({
    blockNumber: BigInt(file.block.number),
    timestamp: BigInt(file.block.timestamp),
  })
  const benchCase = await prepareCase({
    workload: 'mainnet',
    name: `mainnet ${BigInt(file.block.number)}`,
    needsKzg: kzg !== undefined,
    image: await createStateImage(
      common,
      readPreState(file.preState),
      () => new KnownBlockHashes(path, file.blockHashes),
    ),
    // Uncle headers are not in the files; rewards of uncles are missing on both sides alike.
    createBlock: (blockCommon) => {
      const block = createBlockFromRPC(file.block, [], { common: blockCommon })
      const hash = bytesToHex(block.hash())
      if (hash !== file.block.hash) {
        throw pluginError(`${path} is damaged: its block has hash ${hash}, not ${file.block.hash}`)
      }
      return block
    },
  })
  if (benchCase.gasUsed !== BigInt(file.block.gasUsed)) {
    throw pluginError(
      `${path} cannot be used: on its state stock ethereumjs uses ${benchCase.gasUsed} gas, ` +
        `the block's header says ${BigInt(file.block.gasUsed)}`,
    )
  }
  // Before Byzantium receipts contain state roots, which a partial state cannot have.
  const hasComparableReceipts = common.gteHardfork(Hardfork.Byzantium)
  if (hasComparableReceipts && benchCase.expected.receiptsRoot !== file.block.receiptsRoot) {
    throw pluginError(
      `${path} cannot be used: on its state stock ethereumjs gives other receipts than the header`,
    )
  }
  return benchCase
}

function isBlobType(type: unknown): boolean {
  return typeof type === 'string' && BigInt(type) === BLOB_TRANSACTION
}

function readPreState(records: MainnetFile['preState']): PreState {
  const state = new Map<PrefixedHexString, AccountState>()
  for (const [address, record] of Object.entries(records)) {
    const storage = new Map<bigint, bigint>()
    for (const [slot, value] of Object.entries(record.storage ?? {})) {
      storage.set(BigInt(slot), BigInt(value))
    }
    state.set(address as PrefixedHexString, {
      balance: BigInt(record.balance),
      nonce: BigInt(record.nonce),
      storage,
      ...(record.code === undefined ? {} : { code: hexToBytes(record.code) }),
    })
  }
  return state
}

/** Answers BLOCKHASH from the file. */
class KnownBlockHashes implements EVMMockBlockchainInterface {
  readonly #path: string
  readonly #hashes: Readonly<Record<string, PrefixedHexString>>

  constructor(path: string, hashes: Readonly<Record<string, PrefixedHexString>>) {
    this.#path = path
    this.#hashes = hashes
  }

  async getBlock(number: number): Promise<{ hash(): Uint8Array }> {
    const hash = this.#hashes[String(number)]
    if (hash === undefined) throw new Error(`${this.#path} has no hash of block ${number}`)
    return { hash: () => hexToBytes(hash) }
  }

  async putBlock(): Promise<void> {}

  shallowCopy(): KnownBlockHashes {
    return this
  }
}
