// Turns a row of a generated workload into a block on a state, ready to be measured.
// The authority on the generated blocks' chain, hardfork and header.
// Must not depend on time or machine: the same seed and size give the same bytes everywhere.
import { setImmediate as nextTurn } from 'node:timers/promises'

import { createBlock } from '@ethereumjs/block'
import { type Common, createCustomCommon, Hardfork, Mainnet } from '@ethereumjs/common'
import { createAddressFromString } from '@ethereumjs/util'

import type { Accounts } from '../accounts.ts'
import { type BenchCase, prepareCase } from '../bench-case.ts'
import { createRandom } from '../random.ts'
import { createStateImage } from '../state-image.ts'
import { BASE_FEE, World } from '../world.ts'
import type { GeneratedRow } from './generated.ts'
import type { WorkloadName } from './names.ts'

export interface GeneratedCaseOptions {
  readonly workload: WorkloadName
  readonly row: GeneratedRow
  readonly transactions: number
  readonly seed: number
  /** Shared by the rows of one run, so that each key is derived once. */
  readonly accounts: Accounts
  readonly signal?: AbortSignal
}

const CHAIN_ID = 31_337
const TIMESTAMP = 1_750_000_000n

/** At one to two milliseconds each, a twentieth of a second. */
const ELEMENTS_PER_TURN = 32

export async function createGeneratedCase(options: GeneratedCaseOptions): Promise<BenchCase> {
  const { workload, row, transactions, seed, accounts, signal } = options
  const common = createWorkloadCommon()
  // Known before the row asks for them: deriving many in one go would block the event loop.
  await collect(accounts.derive(transactions), signal)
  // Named after the row: which other workloads run must not change this one.
  const world = new World(common, accounts, createRandom(`parallel-bench ${seed} ${row.name}`))
  const coinbase = accounts.address('coinbase', 0)
  world.fund(coinbase)
  row.write(world, transactions)
  const signed = await collect(world.signTransactions(), signal)

  const benchCase = await prepareCase({
    workload,
    name: row.name,
    needsKzg: false,
    image: await createStateImage(common, world.preState),
    contractNames: world.contractNames,
    createBlock: (blockCommon) =>
      createBlock(
        {
          header: {
            number: 1n,
            timestamp: TIMESTAMP,
            coinbase: createAddressFromString(coinbase),
            // No real chain's limit: the block has to take as many transactions as are asked for.
            gasLimit: signed.reduce((sum, { gasLimit }) => sum + gasLimit, 0n),
            baseFeePerGas: BASE_FEE,
            excessBlobGas: 0n,
            blobGasUsed: 0n,
          },
          transactions: signed,
          withdrawals: [],
        },
        { common: blockCommon },
      ),
  })
  if (benchCase.expected.failedTransactions > 0) {
    throw new Error(
      `${benchCase.expected.failedTransactions} transactions of workload ${row.name} failed`,
    )
  }
  return benchCase
}

/** Takes everything from a slow source with turns of the event loop in between, for Ctrl-C. */
async function collect<Element>(
  source: Iterable<Element>,
  signal: AbortSignal | undefined,
): Promise<Element[]> {
  const elements: Element[] = []
  for (const element of source) {
    elements.push(element)
    if (elements.length % ELEMENTS_PER_TURN !== 0) continue
    await nextTurn()
    signal?.throwIfAborted()
  }
  return elements
}

export function createWorkloadCommon(): Common {
  return createCustomCommon({ chainId: CHAIN_ID, name: 'parallel-bench' }, Mainnet, {
    hardfork: Hardfork.Prague,
  })
}
