// Random pools that are mostly plain transfers, and what is nearly one: to code, to nobody, to oneself, for
// nothing, for too much, twice. Authority on how often which. Whether one is valid is for stock to say.
import type { MerkleStateManager } from '@ethereumjs/statemanager'
import type { TypedTransaction } from '@ethereumjs/tx'
import { Account, type Address, createAddressFromString } from '@ethereumjs/util'
import { createVM, type VM } from '@ethereumjs/vm'
import fc from 'fast-check'
import { createFlatState } from '../../src/state/create-flat-state.ts'
import { assembleHex } from './assembler.ts'
import { buildOptions, signedPool } from './build-both.ts'
import { makeWorld, richActors, type TransactionPlan, type World } from './hand-made-block.ts'
import { type Actor, actors, contracts, ether } from './random-world.ts'
import { addOne } from './small-contracts.ts'
import type { AccountRecords } from './state-template.ts'

const named = (last: string): Address => createAddressFromString(`0x${last.padStart(40, '0')}`)

const receivers = {
  actor: undefined,
  nobody: named('abc0'),
  noted: named('abc1'),
  empty: named('abc2'),
  precompile: named('2'),
  contract: contracts.counter,
  delegated: named('abc3'),
  coinbase: named('c0'),
} as const

const accounts: AccountRecords = {
  [receivers.noted.toString()]: { balance: 7n },
  // Such as were left by transfers of nothing before Spurious Dragon.
  [receivers.empty.toString()]: { balance: 0n, nonce: 0n },
  [receivers.contract.toString()]: { code: assembleHex(addOne), nonce: 1n },
  [receivers.delegated.toString()]: {
    code: `0xef0100${receivers.contract.toString().slice(2)}`,
    nonce: 1n,
  },
}

/** One in `share` is rare. */
const mostly = <T>(often: T, rare: readonly T[], share = 16): fc.Arbitrary<T> =>
  fc.oneof(
    { arbitrary: fc.constant(often), weight: share - 1 },
    { arbitrary: fc.constantFrom(...rare), weight: 1 },
  )

const transfer = fc.record({
  from: fc.nat({ max: 5 }),
  /** Whom after the sender; 0 is oneself. */
  distance: mostly(1, [0, 2, 3, 6, 7], 8),
  receiver: mostly<keyof typeof receivers>('actor', [
    'nobody',
    'noted',
    'empty',
    'precompile',
    'contract',
    'delegated',
    'coinbase',
  ]),
  type: fc.constantFrom(0, 1, 2),
  value: mostly(1n, [0n, 3n * ether, 1_000n * ether, 1n << 255n], 200),
  nonce: mostly(0, [-1, 1], 32),
  gasLimit: mostly(21_000n, [20_999n, 100_000n, 29_000_000n], 32),
  tip: mostly(2n, [0n, 1n, -1n], 32),
  // Ends a run.
  data: mostly('', ['00', '01ff'], 1_000),
})

export const transferPlan = fc.record({
  hardfork: fc.constantFrom(
    'byzantium',
    'istanbul',
    'berlin',
    'london',
    'shanghai',
    'cancun',
    'prague',
  ),
  coinbase: fc.constantFrom<keyof typeof receivers>('coinbase', 'noted', 'empty', 'contract'),
  transfers: fc.array(transfer, { minLength: 80, maxLength: 200, size: 'max' }),
  onFlatState: fc.boolean(),
})
export type TransferPlan = typeof transferPlan extends fc.Arbitrary<infer T> ? T : never

export interface TransferCase {
  readonly pool: TypedTransaction[]
  readonly opts: ReturnType<typeof buildOptions>
  /** On equal states of their own. */
  vm(): Promise<VM>
  ours(): Promise<VM>
}

export async function transferCase(plan: TransferPlan): Promise<TransferCase> {
  const { hardfork, onFlatState } = plan
  const world = await makeWorld({ hardfork, accounts })
  const header = { coinbase: receivers[plan.coinbase] }
  return {
    pool: poolOf(world, plan),
    opts: buildOptions(world, header),
    vm: () => merkleVm(world),
    ours: () => (onFlatState ? flatVm(world) : merkleVm(world)),
  }
}

function poolOf(world: World, { transfers }: TransferPlan): TypedTransaction[] {
  const { common } = world
  const nonces = new Map<number, bigint>()
  const baseFee = common.isActivatedEIP(1559) ? 7n : 0n
  const mostType = common.isActivatedEIP(1559) ? 2 : common.isActivatedEIP(2930) ? 1 : 0
  const plans = transfers.map((one): TransactionPlan => {
    const due = nonces.get(one.from) ?? 0n
    // Else all that follow of the sender would be refused.
    const isValid = one.nonce === 0 && one.tip >= 0n && one.gasLimit >= 21_000n
    if (isValid && one.value < 50n * ether) nonces.set(one.from, due + 1n)
    const shifted = due + BigInt(one.nonce)
    const type = Math.min(one.type, mostType)
    const price = baseFee + one.tip < 0n ? 0n : baseFee + one.tip
    const most = { maxFeePerGas: price, maxPriorityFeePerGas: one.tip < 0n ? 0n : one.tip }
    return {
      from: actors[one.from] as Actor,
      to: receivers[one.receiver] ?? (actors[(one.from + one.distance) % 8] as Actor).address,
      value: one.value,
      gasLimit: one.gasLimit,
      nonce: shifted < 0n ? 0n : shifted,
      data: Uint8Array.from(Buffer.from(one.data, 'hex')),
      fields: { type, ...(type === 2 ? most : { gasPrice: price }) },
    }
  })
  return signedPool(world, plans)
}

/** Templates have no empty accounts. */
async function merkleVm(world: World): Promise<VM> {
  const vm = await world.vm()
  await vm.stateManager.putAccount(receivers.empty, new Account())
  await (vm.stateManager as MerkleStateManager).flush()
  return vm
}

async function flatVm(world: World): Promise<VM> {
  const { common, blockchain } = await world.vm()
  const stateManager = await createFlatState({ common })
  await stateManager.importAlloc({ ...richActors, ...accounts })
  return createVM({ common, blockchain, stateManager })
}
