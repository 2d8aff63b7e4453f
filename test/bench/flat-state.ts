// Times what a flat state costs besides blocks' own work: `node test/bench/flat-state.ts [accounts]`.
// The authority on the figures quoted for opening, memory, empty blocks, first blocks and long runs.
// Must not be run as a test: on a shared machine, a time limit fails for reasons of its own.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createBlock } from '@ethereumjs/block'
import type { Common } from '@ethereumjs/common'
import { createFeeMarket1559Tx } from '@ethereumjs/tx'
import { Address, createWithdrawal, hexToBytes } from '@ethereumjs/util'
import { createVM, type VM } from '@ethereumjs/vm'

import { createAccounts } from '../../plugin/bench/accounts.ts'
import { median } from '../../plugin/bench/statistics.ts'
import { createWorkloadCommon } from '../../plugin/bench/workloads/generated-cases.ts'
import {
  createFlatState,
  createParallelExecutor,
  type FlatState,
  type ParallelExecutor,
} from '../../src/index.ts'
import { flatDataOf } from '../../src/state/flat-state.ts'
import { loadKeccak } from '../../src/state/keccak.ts'

const ACCOUNTS = Number(process.argv[2] ?? 1_000_000)
const BLOCKS = 1_000
const SENDERS = 64
const TRANSFERS = 16
const EMPTY_BLOCKS = 200
const FIRST_BLOCKS = 5
const BASE_FEE = 7n
const ETHER = 10n ** 18n

const keccak = await loadKeccak()
const common = createWorkloadCommon()
const accounts = createAccounts(1)
for (const _ of accounts.derive(SENDERS)) {
  // Keys are derived one by one.
}

const folder = mkdtempSync(join(tmpdir(), 'flat-state-'))
try {
  await measureFirstBlock()
  const root = await fillStore()
  const state = await reopen(root)
  await using executor = await createParallelExecutor({ workers: 2 })
  await measureEmptyBlocks(executor, await createFlatState({ common }), 'in memory')
  await measureEmptyBlocks(executor, state, 'with a store of all accounts')
  await measureManyBlocks(executor, state)
  await state.close()
} finally {
  rmSync(folder, { recursive: true, force: true })
}

/** A spread of addresses that nobody has keys of. */
function addressOf(number: number): string {
  const bytes = Uint8Array.of(number, number >> 8, number >> 16, number >> 24)
  return new Address(keccak(bytes).slice(12)).toString()
}

function* alloc() {
  for (let i = 0; i < SENDERS; i++) {
    yield [accounts.sender(i).address, { balance: 1_000n * ETHER }] as const
  }
  for (let i = SENDERS; i < ACCOUNTS; i++) {
    yield [addressOf(i), { balance: BigInt(i) * 10n ** 15n, nonce: BigInt(i % 50) }] as const
  }
}

async function fillStore(): Promise<Uint8Array> {
  const state = await createFlatState({ common, store: { path: folder } })
  const start = performance.now()
  const root = await state.importAlloc(alloc())
  const data = flatDataOf(state)
  if (data === undefined) throw new Error('a flat state has no memory')
  const { accounts: buckets, slots } = data.table.buffers
  const bytes = data.region.used() * 4 + buckets.byteLength + slots.byteLength
  print(`${ACCOUNTS} accounts imported and stored`, `${ms(performance.now() - start)}`)
  print(
    'memory of an account, its part of the trie and the buckets',
    `${(bytes / ACCOUNTS).toFixed(0)} bytes`,
  )
  await state.close()
  return root
}

async function reopen(root: Uint8Array): Promise<FlatState> {
  const times: number[] = []
  let state: FlatState | undefined
  for (let i = 0; i < 3; i++) {
    await state?.close()
    const start = performance.now()
    state = await createFlatState({ common, store: { path: folder } })
    times.push(performance.now() - start)
    if (!Buffer.from(await state.getStateRoot()).equals(root)) throw new Error('another root')
  }
  print(`opening ${ACCOUNTS} accounts`, ms(median(times)))
  if (state === undefined) throw new Error('no state')
  return state
}

/** A new pool, and the first block on it: what somebody waits for after a start. */
async function measureFirstBlock(): Promise<void> {
  const times: number[] = []
  const blocks: number[] = []
  for (let i = 0; i < FIRST_BLOCKS; i++) {
    const vm = await vmOn(await createFlatState({ common }))
    await (vm.stateManager as FlatState).importAlloc(
      Array.from(
        { length: SENDERS },
        (_, at) => [accounts.sender(at).address, { balance: 1_000n * ETHER }] as const,
      ),
    )
    const block = blockOf(vm.common, 1n, 0n, TRANSFERS)
    const start = performance.now()
    await using executor = await createParallelExecutor({ workers: 2, scheduler: 'graph' })
    const made = performance.now()
    await run(executor, vm, block)
    times.push(made - start)
    blocks.push(performance.now() - made)
  }
  print('a pool of 2 workers', ms(median(times)))
  print(`its first block, of ${TRANSFERS} transfers`, ms(median(blocks)))
}

async function measureEmptyBlocks(executor: ParallelExecutor, state: FlatState, where: string) {
  const vm = await vmOn(state)
  const times: number[] = []
  for (let number = 1n; number <= EMPTY_BLOCKS; number++) {
    const block = blockOf(vm.common, number, 0n, 0)
    const start = performance.now()
    await run(executor, vm, block)
    times.push(performance.now() - start)
  }
  print(`an empty block with a withdrawal, ${where}`, ms(median(times.slice(EMPTY_BLOCKS / 4))))
}

/** Whether the thousandth block takes as long as the first ones. */
async function measureManyBlocks(executor: ParallelExecutor, state: FlatState): Promise<void> {
  const vm = await vmOn(state)
  const times: number[] = []
  for (let i = 0; i < BLOCKS; i++) {
    const turn = Math.floor((i * TRANSFERS) / SENDERS)
    const first = (i * TRANSFERS) % SENDERS
    const block = blockOf(vm.common, BigInt(EMPTY_BLOCKS + 1 + i), BigInt(turn), TRANSFERS, first)
    const start = performance.now()
    await run(executor, vm, block)
    times.push(performance.now() - start)
  }
  const part = BLOCKS / 10
  const early = median(times.slice(part, 3 * part))
  const late = median(times.slice(-2 * part))
  print(
    `blocks of ${TRANSFERS} transfers: of ${BLOCKS}, the second and third hundred`,
    `${ms(early)}; the last two ${ms(late)} (${(late / early).toFixed(2)}x)`,
  )
}

async function vmOn(stateManager: FlatState): Promise<VM> {
  return createVM({ common: common.copy(), stateManager })
}

async function run(
  executor: ParallelExecutor,
  vm: VM,
  block: ReturnType<typeof blockOf>,
): Promise<void> {
  await executor.runBlock(vm, {
    block,
    generate: true,
    skipBlockValidation: true,
    skipHeaderValidation: true,
  })
}

function blockOf(rules: Common, number: bigint, nonce: bigint, transfers: number, first = 0) {
  const transactions = Array.from({ length: transfers }, (_, at) => {
    const { privateKey } = accounts.sender(first + at)
    const data = {
      nonce,
      gasLimit: 21_000n,
      value: 1n,
      to: hexToBytes(addressOf(SENDERS + Number(number) * transfers + at) as `0x${string}`),
      maxFeePerGas: 3n * BASE_FEE,
      maxPriorityFeePerGas: 1n,
    }
    return createFeeMarket1559Tx(data, { common: rules }).sign(privateKey)
  })
  const withdrawal = {
    index: number,
    validatorIndex: 0n,
    address: addressOf(5) as `0x${string}`,
    amount: 1n,
  }
  return createBlock(
    {
      header: {
        number,
        timestamp: 1_750_000_000n + number,
        gasLimit: 30_000_000n,
        baseFeePerGas: BASE_FEE,
        excessBlobGas: 0n,
        blobGasUsed: 0n,
      },
      transactions,
      withdrawals: [createWithdrawal(withdrawal)],
    },
    { common: rules },
  )
}

function ms(value: number): string {
  return `${value.toFixed(value < 10 ? 2 : 0)} ms`
}

function print(what: string, figure: string): void {
  console.log(`${what.padEnd(80)}${figure}`)
}
