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

/** Share of the transactions of erc20-hot and mixed that touch what many others touch. */
export const HOT_SHARE = 0.3

/** Exchanges, say: few enough that their chains are the block's longest. */
export const HOT_RECIPIENTS = 3

/** Ten swaps meet in a pool: short chains and many of them, as on a chain with many markets. */
export const SWAPS_PER_POOL = 10

/** Whatever the number of transactions: the larger the block, the longer the chains. */
export const FIXED_POOLS = 8

export function generatedRows(
  workload: Exclude<WorkloadName, 'mainnet'>,
  transactions: number,
): readonly GeneratedRow[] {
  switch (workload) {
    case 'transfers':
      return [{ name: 'transfers', write: writeTransfers }]
    case 'erc20':
      return [{ name: 'erc20', write: writeTokenTransfers }]
    case 'erc20-hot':
      return [{ name: 'erc20-hot', write: writeHotTokenTransfers }]
    case 'amm':
      return poolCountsFor(transactions).map((pools) => ({
        name: `amm (${pools} pool${pools === 1 ? '' : 's'})`,
        write: (world, count) => writeSwaps(world, count, pools),
      }))
    case 'mint':
      return [{ name: 'mint', write: writeMints }]
    case 'mixed':
      return [{ name: 'mixed', write: writeMixed }]
  }
}

/** Two of them can be the same number, and the same row twice would say nothing. */
function poolCountsFor(transactions: number): readonly number[] {
  const counts = new Set([1, FIXED_POOLS, poolsFor(transactions)])
  return [...counts].sort((first, second) => first - second)
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

/** Transfers of one token, of which a share goes to a few recipients, in equal parts. */
function writeHotTokenTransfers(world: World, transactions: number): void {
  const token = world.placeToken()
  // Shuffled before they are dealt out, so that each of the few gets as many as the others.
  let dealt = 0
  for (const [index, hot] of world.random.shuffled(hotOnes(transactions)).entries()) {
    const recipient = hot
      ? world.accounts.address('exchange', dealt++ % HOT_RECIPIENTS)
      : world.accounts.address('recipient', index)
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
  for (const [index, hot] of world.random.shuffled(hotOnes(transactions)).entries()) {
    const kinds = hot ? write.hot : write.cold
    kinds[world.random.integer(kinds.length)]!(index)
  }
}

/** As many truths as the share asks for, all in front. */
function hotOnes(transactions: number): readonly boolean[] {
  const count = Math.round(transactions * HOT_SHARE)
  return Array.from({ length: transactions }, (_, index) => index < count)
}

function placePools(world: World, count: number): readonly Pool[] {
  return Array.from({ length: count }, () => world.placePool())
}

function existingRecipient(world: World, index: number): PrefixedHexString {
  const recipient = world.accounts.address('recipient', index)
  world.fund(recipient)
  return recipient
}
