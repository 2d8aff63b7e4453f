// Builds the random block a plan stands for, on the state it will run on: nonces and balances are
// looked up while stock runs a scratch copy, so that a block is invalid only where the plan says so.
// It must not decide what is right: the built block is judged by running it, in random-check.ts.
import {
  Block,
  createBlockHeader,
  genTransactionsTrieRoot,
  genWithdrawalsTrieRoot,
} from '@ethereumjs/block'
import { Common, createCustomCommon, Mainnet } from '@ethereumjs/common'
import type { EVMMockBlockchainInterface } from '@ethereumjs/evm'
import { MerkleStateManager } from '@ethereumjs/statemanager'
import { isBlob4844Tx, type TypedTransaction } from '@ethereumjs/tx'
import { bytesToHex, createWithdrawal } from '@ethereumjs/util'
import { createVM, type RunBlockOpts, type RunBlockResult, runTx, type VM } from '@ethereumjs/vm'
import { keccak_256 } from '@noble/hashes/sha3.js'
import { createFlatState } from '../../src/state/create-flat-state.ts'
import { ForgetfulStateManager } from './forgetful-state-manager.ts'
import { testKzg } from './kzg.ts'
import type { BlockPlan, WorldPlan } from './random-plan.ts'
import { compileProgram } from './random-program.ts'
import { makeTransaction } from './random-transaction.ts'
import { addressAt, coinbaseAt, contracts, numberWord, worldRecords } from './random-world.ts'
import { type AccountRecords, buildStateTemplate, type StateTemplate } from './state-template.ts'

/**
 * Below the cap on one transaction (EIP-7825), so that one can ask for the whole block. EIP-8037 caps one
 * kind of gas only, and what a transaction has beyond the cap is a reserve of the other kind.
 */
function blockGasLimitOf(common: Common): bigint {
  return common.isActivatedEIP(8037) ? 60_000_000n : 16_000_000n
}
const gasPerBlob = 131_072n

export interface BuiltBlock {
  readonly block: Block
  readonly options: Omit<RunBlockOpts, 'block'>
  /** Planned transactions that would have made the block invalid by accident. */
  readonly dropped: number
}

export function commonFor(plan: WorldPlan): Common {
  const options = { hardfork: plan.hardfork, customCrypto: { kzg: testKzg() } }
  return plan.customChain
    ? createCustomCommon({ chainId: 1337, name: 'random' }, Mainnet, options)
    : new Common({ chain: Mainnet, ...options })
}

/** RANDOM_STATE=stock meets stock's fault too; see forgetful-state-manager.ts. */
const StateManager =
  process.env.RANDOM_STATE === 'stock' ? MerkleStateManager : ForgetfulStateManager

let sharedWorld: Promise<StateTemplate> | undefined

/** The world with the plan's programs at the hot addresses. */
export async function templateFor(plan: WorldPlan): Promise<StateTemplate> {
  sharedWorld ??= buildStateTemplate(new Common({ chain: Mainnet }), worldRecords())
  return await buildStateTemplate(commonFor(plan), programsOf(plan), await sharedWorld)
}

/** The contracts that a plan adds to the world. */
function programsOf(plan: WorldPlan): AccountRecords {
  const common = commonFor(plan)
  const coinbase = coinbaseAt(plan.blocks[0]!.coinbase)
  const programs = plan.programs.map((statements, index) => [
    contracts.hot[index]!.toString(),
    {
      code: bytesToHex(compileProgram(statements, { common, coinbase })),
      nonce: 1n,
      balance: 1_000n * BigInt(index),
      storage: { '0x00': `0x0${index + 1}`, '0x01': '0x03' },
    },
  ])
  return Object.fromEntries(programs)
}

export async function makeVm(plan: WorldPlan, template: StateTemplate): Promise<VM> {
  const common = commonFor(plan)
  return await createVM({
    common,
    stateManager: template.copy(common, plan.caches, StateManager),
    blockchain: new HashedNumbers(),
  })
}

/** The same on a flat state. */
export async function makeFlatVm(plan: WorldPlan): Promise<VM> {
  const common = commonFor(plan)
  const stateManager = await createFlatState({ common })
  await stateManager.importAlloc({ ...worldRecords(), ...programsOf(plan) })
  return await createVM({ common, stateManager, blockchain: new HashedNumbers() })
}

export async function buildRandomBlock(
  world: WorldPlan,
  plan: BlockPlan,
  template: StateTemplate,
  number: bigint,
): Promise<BuiltBlock> {
  const common = commonFor(world)
  const coinbase = coinbaseAt(plan.coinbase)
  const empty = assembleBlock(common, plan, number, [])
  const scratch = await makeVm({ ...world, caches: true }, template)
  const baseFee = BigInt(plan.baseFee)
  const skips = { skipNonce: plan.skip === 'nonce', skipBalance: plan.skip === 'balance' }
  const context = {
    ...skips,
    vm: scratch,
    common,
    coinbase,
    baseFee,
    programs: world.programs,
    blockGasLimit: blockGasLimitOf(common),
  }
  const transactions: TypedTransaction[] = []
  const brokenAt = plan.broken === null ? -1 : plan.broken.at % Math.max(1, plan.actions.length)
  let dropped = 0
  for (const [index, action] of plan.actions.entries()) {
    const broken = index === brokenAt ? plan.broken?.how : undefined
    const transaction = await makeTransaction(action, context, broken)
    const ran = await runs(scratch, transaction, empty, skips)
    if (ran || broken !== undefined) transactions.push(transaction)
    else dropped++
  }
  return {
    block: assembleBlock(common, plan, number, transactions),
    options: {
      generate: true,
      skipBlockValidation: true,
      ...(plan.skip === 'nonce' ? { skipNonce: true } : {}),
      ...(plan.skip === 'balance' ? { skipBalance: true } : {}),
      ...(plan.reportPreimages ? { reportPreimages: true } : {}),
    },
    dropped,
  }
}

async function runs(
  vm: VM,
  tx: TypedTransaction,
  block: Block,
  skips: { skipNonce: boolean; skipBalance: boolean },
): Promise<boolean> {
  try {
    await runTx(vm, { tx, block, ...skips })
    return true
  } catch {
    return false
  }
}

function assembleBlock(
  common: Common,
  plan: BlockPlan,
  number: bigint,
  transactions: TypedTransaction[],
): Block {
  const options = { common, skipConsensusFormatValidation: true }
  const coinbase = coinbaseAt(plan.coinbase)
  const isProofOfWork = common.consensusType() === 'pow'
  const header = createBlockHeader(
    {
      number,
      coinbase,
      gasLimit: blockGasLimitOf(common),
      timestamp: 1_700_000_000n + number,
      parentHash: keccak_256(numberWord(Number(number - 1n))),
      mixHash: keccak_256(numberWord(Number(number))),
      ...(isProofOfWork ? { difficulty: 131_072n } : {}),
      ...(common.isActivatedEIP(1559) ? { baseFeePerGas: BigInt(plan.baseFee) } : {}),
      ...(common.isActivatedEIP(4844) ? { blobGasUsed: blobGas(transactions) } : {}),
      ...(common.isActivatedEIP(4788)
        ? { parentBeaconBlockRoot: keccak_256(numberWord(plan.coinbase)) }
        : {}),
      ...(common.isActivatedEIP(7843) ? { slotNumber: 1_000n + number } : {}),
    },
    options,
  )
  const uncles =
    plan.uncle && isProofOfWork
      ? [
          createBlockHeader(
            { number: number - 1n, coinbase: addressAt(plan.coinbase, coinbase) },
            options,
          ),
        ]
      : []
  const withdrawals = common.isActivatedEIP(4895)
    ? plan.withdrawals.map((value, index) =>
        createWithdrawal({
          index,
          validatorIndex: value,
          address: addressAt(value, coinbase),
          amount: BigInt(value % 3),
        }),
      )
    : undefined
  return new Block(header, transactions, uncles, withdrawals, options)
}

function blobGas(transactions: readonly TypedTransaction[]): bigint {
  const blobs = transactions.reduce((sum, tx) => sum + (isBlob4844Tx(tx) ? tx.numBlobs() : 0), 0)
  return BigInt(blobs) * gasPerBlob
}

/** The block with the header its outcome asks for, or with one field of it wrong. */
export async function withCheckedHeader(
  block: Block,
  result: RunBlockResult,
  ending: BlockPlan['ending'],
  blockAccessListHash?: Uint8Array,
): Promise<Block> {
  const { common } = block
  const spoil = (bytes: Uint8Array, when: BlockPlan['ending']): Uint8Array =>
    ending === when ? keccak_256(bytes).slice(0, bytes.length) : bytes
  const bloom = Uint8Array.from(result.logsBloom)
  if (ending === 'wrongBloom') bloom[7]! ^= 4
  const { header } = block
  const fields = {
    parentHash: header.parentHash,
    uncleHash: header.uncleHash,
    coinbase: header.coinbase,
    number: header.number,
    gasLimit: header.gasLimit,
    timestamp: header.timestamp,
    mixHash: header.mixHash,
    difficulty: header.difficulty,
    baseFeePerGas: header.baseFeePerGas,
    blobGasUsed: header.blobGasUsed,
    excessBlobGas: header.excessBlobGas,
    parentBeaconBlockRoot: header.parentBeaconBlockRoot,
    stateRoot: spoil(result.stateRoot, 'wrongStateRoot'),
    receiptTrie: spoil(result.receiptsRoot, 'wrongReceipts'),
    logsBloom: bloom,
    gasUsed: ending === 'wrongGas' ? result.gasUsed + 1n : result.gasUsed,
    transactionsTrie: spoil(
      await genTransactionsTrieRoot(block.transactions),
      'wrongTransactionsTrie',
    ),
    withdrawalsRoot:
      block.withdrawals === undefined ? undefined : await genWithdrawalsTrieRoot(block.withdrawals),
    blockAccessListHash: common.isActivatedEIP(7928)
      ? (blockAccessListHash ?? result.blockLevelAccessList?.hash())
      : undefined,
    slotNumber: header.slotNumber,
    requestsHash:
      result.requestsHash === undefined ? undefined : spoil(result.requestsHash, 'wrongRequests'),
  }
  const options = { common, skipConsensusFormatValidation: true }
  return new Block(
    createBlockHeader(fields, options),
    [...block.transactions],
    // The uncle hash would have to match too; a checked block goes without uncles.
    [],
    block.withdrawals,
    options,
  )
}

/** Every block number has a hash, which says nothing but its number. */
class HashedNumbers implements EVMMockBlockchainInterface {
  async getBlock(number: number): Promise<{ hash(): Uint8Array }> {
    return { hash: () => keccak_256(numberWord(number)) }
  }

  async putBlock(): Promise<void> {}

  shallowCopy(): HashedNumbers {
    return this
  }
}
