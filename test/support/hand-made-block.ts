// Hand-made blocks: a few transactions between named actors on a small state, run by stock and by ours.
// Authority on what every hand-made case shares: rich actors, nonces counted per sender, one header.
// It must not soften the comparison: results, events and state roots are compared whole.
import { Block, createBlockHeader, type HeaderData } from '@ethereumjs/block'
import { Common, type CustomCrypto, Mainnet } from '@ethereumjs/common'
import type { EVMMockBlockchainInterface, EVMOpts } from '@ethereumjs/evm'
import type { MerkleStateManager } from '@ethereumjs/statemanager'
import { createTx, isBlob4844Tx, type TypedTransaction, type TypedTxData } from '@ethereumjs/tx'
import {
  type Address,
  createWithdrawal,
  eoaCode7702SignAuthorization,
  type PrefixedHexString,
} from '@ethereumjs/util'
import { createVM, runBlock, type VM } from '@ethereumjs/vm'
import { keccak_256 } from '@noble/hashes/sha3.js'
import { expect } from 'vitest'

import type {
  BlockReport,
  ParallelExecutor,
  ParallelRunBlockOpts,
  ParallelRunBlockResult,
} from '../../src/index.ts'
import type { Instruction } from './assembler.ts'
import { recordEvents } from './events.ts'
import { testKzg } from './kzg.ts'
import { compareAny, compareOutcomes, compareStateRoots, outcomeOf } from './oracle.ts'
import { type Actor, actors, ether, numberWord } from './random-world.ts'
import { signed } from './signed.ts'
import { type AccountRecords, buildStateTemplate, type StateTemplate } from './state-template.ts'

/** A transaction to be signed; the nonce is counted per sender unless it is given. */
export interface TransactionPlan {
  readonly from: Actor
  readonly to?: Address
  readonly value?: bigint
  readonly data?: Uint8Array
  readonly gasLimit?: bigint
  readonly nonce?: bigint
  /** Any further field of the transaction's data; `type` among them. */
  readonly fields?: Partial<TypedTxData> & Record<string, unknown>
}

export interface BlockPlan {
  readonly transactions: readonly TransactionPlan[]
  readonly coinbase?: Address
  readonly baseFee?: bigint
  readonly gasLimit?: bigint
  readonly number?: bigint
  readonly withdrawals?: readonly { address: Address; amount: bigint }[]
  readonly header?: HeaderData
}

export interface WorldPlan {
  /** Default: Prague. */
  readonly hardfork?: string
  /** Besides the actors, each with 100 ether and nonce 0 unless given here. */
  readonly accounts?: AccountRecords
  readonly evmOpts?: EVMOpts
  readonly withCaches?: boolean
  readonly StateManager?: typeof MerkleStateManager
  /** Besides the KZG backend. */
  readonly customCrypto?: CustomCrypto
}

/** Every actor with 100 ether, as accounts of a state. */
export const richActors: AccountRecords = Object.fromEntries(
  actors.map(({ address }) => [address.toString(), { balance: 100n * ether }]),
)

/** A pre-state from which any number of equal VMs can be made. */
export interface World {
  readonly common: Common
  readonly template: StateTemplate
  vm(): Promise<VM>
}

export async function makeWorld(plan: WorldPlan = {}): Promise<World> {
  const newCommon = (): Common =>
    new Common({
      chain: Mainnet,
      hardfork: plan.hardfork ?? 'prague',
      customCrypto: { kzg: testKzg(), ...plan.customCrypto },
    })
  const template = await buildStateTemplate(newCommon(), { ...richActors, ...plan.accounts })
  return {
    common: newCommon(),
    template,
    vm: () => {
      const common = newCommon()
      return createVM({
        common,
        stateManager: template.copy(common, plan.withCaches ?? true, plan.StateManager),
        blockchain: new NumberedBlocks(),
        ...(plan.evmOpts === undefined ? {} : { evmOpts: plan.evmOpts }),
      })
    },
  }
}

/** Signs and assembles the block. Nonces go on from `nonces`, which is updated. */
export function makeBlock(
  common: Common,
  plan: BlockPlan,
  nonces: Map<Actor, bigint> = new Map(),
): Block {
  const baseFee = plan.baseFee ?? 7n
  const transactions = plan.transactions.map((one) => {
    const nonce = one.nonce ?? nonces.get(one.from) ?? 0n
    if (one.nonce === undefined) nonces.set(one.from, nonce + 1n)
    return sign(common, one, nonce, baseFee)
  })
  return blockOf(common, plan, transactions)
}

/** Assembles a block of transactions that are signed already. */
export function blockOf(
  common: Common,
  plan: Omit<BlockPlan, 'transactions'>,
  transactions: TypedTransaction[],
): Block {
  const number = plan.number ?? 20n
  const options = { common, skipConsensusFormatValidation: true }
  const blobs = transactions.reduce((sum, tx) => sum + (isBlob4844Tx(tx) ? tx.numBlobs() : 0), 0)
  const header = createBlockHeader(
    {
      number,
      coinbase: plan.coinbase ?? defaultCoinbase,
      gasLimit: plan.gasLimit ?? 30_000_000n,
      timestamp: 1_700_000_000n + number * 12n,
      parentHash: keccak_256(numberWord(Number(number - 1n))),
      mixHash: keccak_256(numberWord(Number(number))),
      ...(common.consensusType() === 'pow' ? { difficulty: 131_072n } : {}),
      ...(common.isActivatedEIP(1559) ? { baseFeePerGas: plan.baseFee ?? 7n } : {}),
      ...(common.isActivatedEIP(4844) ? { blobGasUsed: BigInt(blobs) * 131_072n } : {}),
      ...(common.isActivatedEIP(4788)
        ? { parentBeaconBlockRoot: keccak_256(numberWord(4788)) }
        : {}),
      ...plan.header,
    },
    options,
  )
  const withdrawals = common.isActivatedEIP(4895)
    ? (plan.withdrawals ?? []).map(({ address, amount }, index) =>
        createWithdrawal({ index, validatorIndex: index, address, amount }),
      )
    : undefined
  return new Block(header, transactions, [], withdrawals, options)
}

function sign(
  common: Common,
  plan: TransactionPlan,
  nonce: bigint,
  baseFee: bigint,
): TypedTransaction {
  const type = Number(plan.fields?.type ?? 0)
  const price =
    type >= 2
      ? { maxFeePerGas: baseFee + 10n, maxPriorityFeePerGas: 2n }
      : { gasPrice: (common.isActivatedEIP(1559) ? baseFee : 0n) + 2n }
  const data = {
    type,
    nonce,
    to: plan.to,
    value: plan.value ?? 0n,
    data: plan.data ?? new Uint8Array(0),
    gasLimit: plan.gasLimit ?? 1_000_000n,
    ...price,
    ...plan.fields,
  } as TypedTxData
  const tx = signed(createTx(data, { common }), plan.from.privateKey)
  // Spares the recovery of the sender, which would take most of a test's time.
  tx.cache.senderPubKey = plan.from.publicKey
  return tx
}

/** An authorization of EIP-7702 for a transaction's `fields`. */
export function authorize(authority: Actor, delegate: Address, nonce: bigint, chainId = 0n) {
  return eoaCode7702SignAuthorization(
    {
      chainId: `0x${chainId.toString(16)}`,
      address: delegate.toString() as PrefixedHexString,
      nonce: `0x${nonce.toString(16)}`,
    },
    authority.privateKey,
  )
}

/** A loop of some ten opcodes a turn: makes a transaction slow, so that later ones overtake it. */
export function spin(turns: number, label = 'spin'): Instruction[] {
  return [turns, { label }, 1, 'SWAP1', 'SUB', 'DUP1', { to: label }, 'JUMPI', 'POP']
}

/** What both sides did with one block. */
export interface BothRuns extends Sides {
  readonly differences: string[]
  /** Absent where both refused the block. */
  readonly result: ParallelRunBlockResult | undefined
  readonly report: BlockReport | undefined
  readonly error: unknown
}

type Options = Omit<ParallelRunBlockOpts, 'block' | 'onTransaction'>

/** Options with which a block's header is filled in by running it, and not checked. */
export const fillHeader = { generate: true, skipBlockValidation: true }

/** The VMs of a comparison, on equal states of their own. */
export interface Sides {
  readonly stock: VM
  readonly ours: VM
}

export async function sidesOf(world: Pick<World, 'vm'>): Promise<Sides> {
  return { stock: await world.vm(), ours: await world.vm() }
}

/** Runs `block` on both sides and compares all there is to compare. */
export async function runBoth(
  executor: Pick<ParallelExecutor, 'runBlock'>,
  sides: Sides,
  block: Block,
  options: Options = fillHeader,
  watchEvents = false,
): Promise<BothRuns> {
  const { stock, ours } = sides
  const stockEvents = watchEvents ? recordEvents(stock) : undefined
  const ourEvents = watchEvents ? recordEvents(ours) : undefined
  const expected = await outcomeOf(() => runBlock(stock, { ...options, block }))
  const actual = await outcomeOf(() => executor.runBlock(ours, { ...options, block }))
  const result = actual.kind === 'result' ? (actual.result as ParallelRunBlockResult) : undefined
  return {
    differences: [
      ...compareOutcomes(expected, actual),
      ...compareAny(stockEvents?.stop(), ourEvents?.stop(), 'events'),
      ...(await compareStateRoots(stock, ours)),
    ],
    stock,
    ours,
    result,
    report: result?.parallel,
    error: actual.kind === 'error' ? actual.error : undefined,
  }
}

/** One block on a fresh world: equal to stock, in parallel, without fallback. Returns our side. */
export async function expectEqualInParallel(
  executor: Pick<ParallelExecutor, 'runBlock'>,
  world: World,
  plan: BlockPlan,
  options?: Options,
): Promise<BothRuns & { result: ParallelRunBlockResult; report: BlockReport }> {
  const block = makeBlock(world.common, plan)
  const run = await runBoth(executor, await sidesOf(world), block, options)
  expect(run.differences).toEqual([])
  const { result, report } = run
  if (result === undefined || report === undefined) {
    throw new Error('both sides refused the block', { cause: run.error })
  }
  expect(report).toMatchObject({ mode: 'parallel', incidents: [] })
  expect(report.fallbackFrom).toBeUndefined()
  return { ...run, result, report }
}

export const defaultCoinbase = actors[10]!.address

/** Every block number has a hash, which says nothing but its number. */
class NumberedBlocks implements EVMMockBlockchainInterface {
  async getBlock(number: number): Promise<{ hash(): Uint8Array }> {
    return { hash: () => keccak_256(numberWord(number)) }
  }
  async putBlock(): Promise<void> {}
  shallowCopy(): NumberedBlocks {
    return this
  }
}
