// The header and the body of a simulated block, before its calls and after them.
// The authority on which fields follow from the parent, which are overridden, which follow from the calls.
// Must not run calls.
import {
  Block,
  createBlockHeader,
  genTransactionsTrieRoot,
  genWithdrawalsTrieRoot,
  type HeaderData,
} from '@ethereumjs/block'
import { MerklePatriciaTrie } from '@ethereumjs/mpt'
import { RLP } from '@ethereumjs/rlp'
import type { TypedTransaction } from '@ethereumjs/tx'
import { createWithdrawal, hexToBytes, intToBytes, type Withdrawal } from '@ethereumjs/util'
import { Bloom, encodeReceipt, type TxReceipt, type VM } from '@ethereumjs/vm'

import { headerData, overriddenHeader, overrideBlobFee } from '../call-block.ts'
import type { NumberedLog } from './simulate-logs.ts'
import type { PlannedBlock } from './simulate-payload.ts'

/** SHA-256 of nothing: of a block without requests (EIP-7685). */
const noRequests = hexToBytes('0xe3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855')

/** The block that calls run in: without what follows from them. */
export function startBlock(vm: VM, parent: Block, plan: PlannedBlock, validation: boolean): Block {
  const { common } = vm
  const { header } = parent
  const data: HeaderData = {
    number: plan.number,
    timestamp: plan.timestamp,
    parentHash: parent.hash(),
    coinbase: header.coinbase,
    difficulty: 0n,
    gasLimit: header.gasLimit,
    ...(common.isActivatedEIP(1559)
      ? { baseFeePerGas: validation ? header.calcNextBaseFee() : 0n }
      : {}),
    ...(common.isActivatedEIP(4844)
      ? { blobGasUsed: 0n, excessBlobGas: header.calcNextExcessBlobGas(common) }
      : {}),
    ...(common.isActivatedEIP(4788)
      ? { parentBeaconBlockRoot: plan.overrides.beaconRoot ?? new Uint8Array(32) }
      : {}),
    ...overriddenHeader(plan.overrides),
  }
  const started = blockOf(vm, data, [], [])
  overrideBlobFee(started, plan.overrides)
  return started
}

export interface SimulatedTransaction {
  readonly tx: TypedTransaction
  readonly hash: `0x${string}`
  /** In lower case. */
  readonly sender: `0x${string}`
}

export interface BlockContent {
  readonly transactions: readonly SimulatedTransaction[]
  readonly receipts: readonly { receipt: TxReceipt; type: TypedTransaction['type'] }[]
  readonly gasUsed: bigint
}

/** The whole block, with the state as it is now. */
export async function sealBlock(
  vm: VM,
  started: Block,
  { overrides }: PlannedBlock,
  { transactions, receipts, gasUsed }: BlockContent,
): Promise<Block> {
  const { common } = vm
  const txs = transactions.map(({ tx }) => tx)
  const withdrawals = (overrides.withdrawals ?? []).map((each) => createWithdrawal(each))
  const bloom = new Bloom(undefined, common)
  for (const { receipt } of receipts) bloom.or(new Bloom(receipt.bitvector, common))
  const data = {
    ...headerData(started),
    stateRoot: await vm.stateManager.getStateRoot(),
    transactionsTrie: await genTransactionsTrieRoot(txs),
    receiptTrie: await receiptsRoot(receipts),
    logsBloom: bloom.bitvector,
    gasUsed,
    ...(common.isActivatedEIP(4895)
      ? { withdrawalsRoot: await genWithdrawalsTrieRoot(withdrawals) }
      : {}),
    ...(common.isActivatedEIP(7685) ? { requestsHash: noRequests } : {}),
  }
  return blockOf(vm, data, txs, withdrawals)
}

function blockOf(
  vm: VM,
  data: HeaderData,
  txs: TypedTransaction[],
  withdrawals: Withdrawal[],
): Block {
  const { common } = vm
  const options = { common, skipConsensusFormatValidation: true, freeze: false }
  const header = createBlockHeader(data, options)
  return new Block(header, txs, [], common.isActivatedEIP(4895) ? withdrawals : undefined, options)
}

export function receiptOf(
  logs: readonly NumberedLog[],
  cumulative: bigint,
  isFailed: boolean,
): TxReceipt {
  const bloom = new Bloom()
  for (const { address, topics } of logs) {
    bloom.add(address.bytes)
    for (const topic of topics) bloom.add(topic)
  }
  return {
    cumulativeBlockGasUsed: cumulative,
    bitvector: bloom.bitvector,
    logs: logs.map(({ address, topics, data }) => [address.bytes, [...topics], data]),
    status: isFailed ? 0 : 1,
  }
}

async function receiptsRoot(receipts: BlockContent['receipts']): Promise<Uint8Array> {
  const trie = new MerklePatriciaTrie()
  for (const [index, { receipt, type }] of receipts.entries()) {
    const key = RLP.encode(index === 0 ? new Uint8Array(0) : intToBytes(index))
    await trie.put(key, encodeReceipt(receipt, type))
  }
  return trie.root()
}
