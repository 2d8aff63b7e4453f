// The generated workloads: what each row's transactions do and how far they depend on each other.
// The authority on the workloads' meaning; contracts/ has the Solidity side.
// Must not know how a block is built or measured: rows only write transactions into a world.
import type { PrefixedHexString } from '@ethereumjs/util'

import type { Pool, World } from '../world.ts'
import type { WorkloadName } from './names.ts'

export interface GeneratedRow {
  readonly name: string
  /** Writes exactly `transactions` transactions into the world. */
  write(world: World, transactions: number): void
}

/** Share of the mixed workload's transactions that touch what many others touch. */
export const HOT_SHARE = 0.3

/** Ten swaps meet in a pool: short chains and many of them, as on a chain with many markets. */
export const SWAPS_PER_POOL = 10

export function generatedRows(
  workload: Exclude<WorkloadName, 'mainnet'>,
  transactions: number,
): readonly GeneratedRow[] {
  const pools = poolsFor(transactions)
  switch (workload) {
    case 'transfers':
      return [{ name: 'transfers', write: writeTransfers }]
    case 'erc20':
      return [{ name: 'erc20', write: writeTokenTransfers }]
    case 'amm':
      return [
        { name: 'amm (1 pool)', write: (world, count) => writeSwaps(world, count, 1) },
        // With so few transactions that they fit one pool the second row would repeat the first.
        ...(pools === 1
          ? []
          : [
              {
                name: `amm (${pools} pools)`,
                write: (world: World, count: number) => writeSwaps(world, count, pools),
              },
            ]),
      ]
    case 'mint':
      return [{ name: 'mint', write: writeMints }]
    case 'mixed':
      return [{ name: 'mixed', write: writeMixed }]
  }
}

function poolsFor(transactions: number): number {
  return Math.ceil(transactions / SWAPS_PER_POOL)
}

/** Value from distinct senders to distinct accounts that exist. */
function writeTransfers(world: World, transactions: number): void {
  for (let index = 0; index < transactions; index++) {
    world.transferEther(world.accounts.sender(index), existingRecipient(world, index))
  }
}

/** Transfers of one token between distinct accounts; the recipients hold none before. */
function writeTokenTransfers(world: World, transactions: number): void {
  const token = world.placeToken()
  for (let index = 0; index < transactions; index++) {
    const recipient = world.accounts.address('recipient', index)
    world.transferToken(token, world.accounts.sender(index), recipient)
  }
}

function writeSwaps(world: World, transactions: number, poolCount: number): void {
  const pools = placePools(world, poolCount)
  // Dealt out evenly, then shuffled: random draws would leave some pools with long chains.
  const dealt = Array.from({ length: transactions }, (_, index) => pools[index % poolCount]!)
  for (const [index, pool] of world.random.shuffled(dealt).entries()) {
    world.swap(pool, world.accounts.sender(index))
  }
}

function writeMints(world: World, transactions: number): void {
  const counter = world.placeMintCounter()
  for (let index = 0; index < transactions; index++) {
    world.mint(counter, world.accounts.sender(index))
  }
}

function writeMixed(world: World, transactions: number): void {
  const isHot = Array.from(
    { length: transactions },
    (_, index) => index < Math.round(transactions * HOT_SHARE),
  )
  const token = world.placeToken()
  const pools = placePools(world, poolsFor(transactions))
  const [hotPool] = placePools(world, 1)
  const counter = world.placeMintCounter()
  const exchange = world.accounts.address('exchange', 0)
  // Outside the range of the senders that the other transactions use.
  const bot = world.accounts.sender(transactions)

  const write = {
    hot: [
      // Ether to one account: commutative, so only an executor that orders balances is slowed.
      (index: number) => world.transferEther(world.accounts.sender(index), exchange),
      (index: number) => world.transferToken(token, world.accounts.sender(index), exchange),
      (index: number) => world.swap(hotPool!, world.accounts.sender(index)),
      (index: number) => world.mint(counter, world.accounts.sender(index)),
      // One sender: a chain of nonces.
      (index: number) => world.transferEther(bot, existingRecipient(world, index)),
    ],
    cold: [
      (index: number) =>
        world.transferEther(world.accounts.sender(index), existingRecipient(world, index)),
      (index: number) =>
        world.transferToken(
          token,
          world.accounts.sender(index),
          world.accounts.address('recipient', index),
        ),
      (index: number) => world.swap(pools[index % pools.length]!, world.accounts.sender(index)),
    ],
  }
  for (const [index, hot] of world.random.shuffled(isHot).entries()) {
    const kinds = hot ? write.hot : write.cold
    kinds[world.random.integer(kinds.length)]!(index)
  }
}

function placePools(world: World, count: number): readonly Pool[] {
  return Array.from({ length: count }, () => world.placePool())
}

function existingRecipient(world: World, index: number): PrefixedHexString {
  const recipient = world.accounts.address('recipient', index)
  world.fund(recipient)
  return recipient
}
