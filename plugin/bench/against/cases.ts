// What is measured of both networks: taking transactions in, mining blocks of them, and mining each at once.
// The authority on what lies inside of each time, and on what must be equal afterwards.
// Must not sign, or compare, while a clock runs.

import { tokenArtifact } from '../contract-artifacts.ts'
import { startCpuClock } from '../cpu-clock.ts'
import { median } from '../statistics.ts'
import type { BenchNetwork, Side } from './networks.ts'
import type { Kind, Senders } from './senders.ts'
import { balanceSlot, CONTRACT_TOKEN } from './token.ts'

export interface Comparison {
  readonly name: string
  /** Microseconds per transaction, or ms of a block. */
  readonly unit: 'us' | 'ms'
  /** Medians over all rounds. */
  readonly times: Readonly<Record<Side, Spent>>
  /** How many times faster ours has to be; undefined where it is only told. */
  readonly wanted: number | undefined
}

export interface Spent {
  /** Time that passed. */
  readonly wall: number
  /** Processor time of all threads: what counts where the machine does other things too. */
  readonly cpu: number
}

/** One round, discarded, warms both up: workers start with the first large block. */
const WARM_UP_ROUNDS = 1

export interface BlockCase {
  readonly kind: Kind
  readonly transactions: number
  readonly rounds: number
}

/** @throws Error if a block has not all transactions, or the networks do not end alike */
export async function compareBlocks(
  networks: readonly BenchNetwork[],
  senders: Senders,
  { kind, transactions, rounds }: BlockCase,
): Promise<{ readonly ingest: Record<Side, Spent>; readonly mining: Record<Side, Spent> }> {
  const ingest: Record<Side, Spent[]> = { hardhat: [], parallel: [] }
  const mining: Record<Side, Spent[]> = { hardhat: [], parallel: [] }
  for (const network of networks) await network.request('evm_setAutomine', false)
  for (let round = 0; round < WARM_UP_ROUNDS + rounds; round++) {
    const raw = senders.sign(kind, transactions)
    // Whoever comes first finds another heap: in turn.
    const order = round % 2 === 0 ? networks : [...networks].reverse()
    for (const network of order) {
      const sent = await clocked(async () => {
        for (const each of raw) await network.request('eth_sendRawTransaction', each)
      })
      const mined = await clocked(() => network.request('evm_mine'))
      await checkBlock(network, transactions)
      if (round < WARM_UP_ROUNDS) continue
      ingest[network.side].push(perTransaction(sent, transactions))
      mining[network.side].push(mined)
    }
    await checkAlike(networks, senders)
  }
  for (const network of networks) await network.request('evm_setAutomine', true)
  return { ingest: medians(ingest), mining: medians(mining) }
}

export interface AutomineTimes {
  /** Microseconds per transaction over the first and the last tenth. */
  readonly start: Record<Side, Spent>
  readonly end: Record<Side, Spent>
}

/** Sends one transaction after the other, each of which is mined at once. */
export async function compareAutomine(
  networks: readonly BenchNetwork[],
  senders: Senders,
  transactions: number,
): Promise<AutomineTimes> {
  const raw = senders.sign('transfer', transactions)
  const part = Math.max(1, Math.floor(transactions / 10))
  const start: Partial<Record<Side, Spent>> = {}
  const end: Partial<Record<Side, Spent>> = {}
  for (const network of networks) {
    const send = (from: number, to: number) => async () => {
      for (const each of raw.slice(from, to)) await network.request('eth_sendRawTransaction', each)
    }
    start[network.side] = perTransaction(await clocked(send(0, part)), part)
    await send(part, transactions - part)()
    const last = await clocked(send(transactions - part, transactions))
    end[network.side] = perTransaction(last, part)
  }
  await checkAlike(networks, senders)
  return { start: start as Record<Side, Spent>, end: end as Record<Side, Spent> }
}

async function checkBlock(network: BenchNetwork, wanted: number): Promise<void> {
  const found = Number(await network.request('eth_getBlockTransactionCountByNumber', 'latest'))
  if (found === wanted) return
  throw new Error(`${network.side} has mined ${found} of ${wanted} transactions`)
}

/** Balances, of both kinds, and nonces of some accounts. */
async function checkAlike(networks: readonly BenchNetwork[], senders: Senders): Promise<void> {
  const seen = await Promise.all(
    networks.map(async (network) => {
      const texts: unknown[] = []
      for (const address of senders.addresses.slice(0, 5)) {
        const slot = balanceSlot(address, tokenArtifact.storage.balanceOf.slot)
        texts.push(
          await network.request('eth_getBalance', address, 'latest'),
          await network.request('eth_getTransactionCount', address, 'latest'),
          await network.request('eth_getStorageAt', CONTRACT_TOKEN.address, slot, 'latest'),
        )
      }
      return JSON.stringify(texts)
    }),
  )
  if (seen.some((text) => text !== seen[0])) throw new Error('The networks do not end alike')
}

async function clocked(work: () => Promise<unknown>): Promise<Spent> {
  const start = performance.now()
  const cpuClock = startCpuClock()
  await work()
  return { wall: performance.now() - start, cpu: cpuClock() }
}

/** In microseconds. */
function perTransaction({ wall, cpu }: Spent, transactions: number): Spent {
  const scale = 1_000 / transactions
  return { wall: wall * scale, cpu: cpu * scale }
}

function medians(times: Record<Side, Spent[]>): Record<Side, Spent> {
  const of = (side: Side): Spent => ({
    wall: median(times[side].map(({ wall }) => wall)),
    cpu: median(times[side].map(({ cpu }) => cpu)),
  })
  return { hardhat: of('hardhat'), parallel: of('parallel') }
}
