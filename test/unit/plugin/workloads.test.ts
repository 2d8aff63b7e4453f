// The generated workloads: repeatable, accepted by stock, and as dependent as they claim.
import { bytesToBigInt, createAddressFromString, hexToBytes } from '@ethereumjs/util'
import { runBlock } from '@ethereumjs/vm'
import { describe, expect, it } from 'vitest'
import { createAccounts } from '../../../plugin/bench/accounts.ts'
import type { BenchCase } from '../../../plugin/bench/bench-case.ts'
import { mintCounterArtifact, poolArtifact } from '../../../plugin/bench/contract-artifacts.ts'
import { toWord } from '../../../plugin/bench/solidity.ts'
import {
  type GeneratedRow,
  generatedRows,
  HOT_RECIPIENTS,
  HOT_SHARE,
} from '../../../plugin/bench/workloads/generated.ts'
import {
  createGeneratedCase,
  createWorkloadCommon,
} from '../../../plugin/bench/workloads/generated-cases.ts'
import { WORKLOAD_NAMES } from '../../../plugin/bench/workloads/names.ts'

const TRANSACTIONS = 30
const accountsOfSeed = new Map<number, ReturnType<typeof createAccounts>>()

function accountsOf(seed: number): ReturnType<typeof createAccounts> {
  const accounts = accountsOfSeed.get(seed) ?? createAccounts(seed)
  accountsOfSeed.set(seed, accounts)
  return accounts
}

/** Nobody changes a case, and preparing one takes a while: tests that want the same one share it. */
const cases = new Map<string, Promise<BenchCase>>()

function caseOf(row: GeneratedRow, seed = 1, transactions = TRANSACTIONS): Promise<BenchCase> {
  const key = `${row.name} ${seed} ${transactions}`
  const accounts = accountsOf(seed)
  const prepared =
    cases.get(key) ?? createGeneratedCase({ workload: 'mixed', row, transactions, seed, accounts })
  cases.set(key, prepared)
  return prepared
}

const rows = WORKLOAD_NAMES.filter((name) => name !== 'mainnet').flatMap((name) =>
  generatedRows(name, TRANSACTIONS),
)
const rowNamed = (name: string): GeneratedRow => rows.find((row) => row.name === name)!
const bytesOf = (benchCase: BenchCase): Uint8Array =>
  benchCase.freshBlock(createWorkloadCommon()).serialize()

function recipientsOf(benchCase: BenchCase): string[] {
  const block = benchCase.freshBlock(createWorkloadCommon())
  return block.transactions.map(({ to }) => to!.toString())
}

function sendersOf(benchCase: BenchCase): string[] {
  const block = benchCase.freshBlock(createWorkloadCommon())
  return block.transactions.map((transaction) => transaction.getSenderAddress().toString())
}

describe('the generated workloads', () => {
  it('are the rows that the benchmark promises', () => {
    expect(rows.map(({ name }) => name)).toEqual([
      'transfers',
      'erc20',
      'erc20-hot',
      'amm (1 pool)',
      'amm (3 pools)',
      'amm (8 pools)',
      'mint',
      'mixed',
    ])
  })

  it.each(rows)('$name is a valid block in which no transaction fails', async (row) => {
    const benchCase = await caseOf(row)
    expect(benchCase.transactions).toBe(TRANSACTIONS)
    expect(benchCase.expected.failedTransactions).toBe(0)
    const vm = await benchCase.freshVm()
    const block = benchCase.freshBlock(vm.common)
    // Everything but the parent, which the block does not have, is validated here.
    await block.validateData()
    const result = await runBlock(vm, { block, skipHeaderValidation: true })
    expect(result.receipts.map((receipt) => 'status' in receipt && receipt.status)).toEqual(
      Array(TRANSACTIONS).fill(1),
    )
  })

  it.each(rows)(
    '$name is the same block for the same seed, and another for another',
    async (row) => {
      const first = await caseOf(row)
      const again = await createGeneratedCase({
        workload: 'mixed',
        row,
        transactions: TRANSACTIONS,
        seed: 1,
        accounts: createAccounts(1),
      })
      expect(bytesOf(again)).toEqual(bytesOf(first))
      expect(bytesOf(await caseOf(row, 2))).not.toEqual(bytesOf(first))
    },
  )

  it('take any number of transactions, one included', async () => {
    for (const name of WORKLOAD_NAMES) {
      if (name === 'mainnet') continue
      for (const row of generatedRows(name, 1)) {
        expect((await caseOf(row, 1, 1)).transactions).toBe(1)
      }
    }
  })

  it('have swaps in eight pools whatever their number, and no row twice', () => {
    const namesFor = (transactions: number) =>
      generatedRows('amm', transactions).map(({ name }) => name)
    expect(namesFor(1)).toEqual(['amm (1 pool)', 'amm (8 pools)'])
    expect(namesFor(80)).toEqual(['amm (1 pool)', 'amm (8 pools)'])
    expect(namesFor(300)).toEqual(['amm (1 pool)', 'amm (8 pools)', 'amm (30 pools)'])
  })

  it('have distinct senders and recipients in transfers and erc20', async () => {
    const transfers = await caseOf(rowNamed('transfers'))
    expect(new Set([...sendersOf(transfers), ...recipientsOf(transfers)]).size).toBe(
      2 * TRANSACTIONS,
    )
    const erc20 = await caseOf(rowNamed('erc20'))
    expect(new Set(sendersOf(erc20)).size).toBe(TRANSACTIONS)
    const block = erc20.freshBlock(createWorkloadCommon())
    const recipientWords = block.transactions.map(({ data }) => data.subarray(4, 36).join())
    expect(new Set(recipientWords).size).toBe(TRANSACTIONS)
  })

  it('let every mint increment the one counter', async () => {
    const mint = await caseOf(rowNamed('mint'))
    const [counter, ...others] = new Set(recipientsOf(mint))
    expect(others).toEqual([])
    const vm = await mint.freshVm()
    await runBlock(vm, { block: mint.freshBlock(vm.common), skipBlockValidation: true })
    const minted = await vm.stateManager.getStorage(
      createAddressFromString(counter!),
      toWord(mintCounterArtifact.storage.minted.slot),
    )
    expect(bytesToBigInt(minted)).toBe(BigInt(TRANSACTIONS))
  })

  it('meet in one pool or spread over many, evenly', async () => {
    expect(new Set(recipientsOf(await caseOf(rowNamed('amm (1 pool)')))).size).toBe(1)
    const swapsOfPool = new Map<string, number>()
    for (const pool of recipientsOf(await caseOf(rowNamed('amm (3 pools)')))) {
      swapsOfPool.set(pool, (swapsOfPool.get(pool) ?? 0) + 1)
    }
    expect([...swapsOfPool.values()]).toEqual([10, 10, 10])
    expect(new Set(recipientsOf(await caseOf(rowNamed('amm (8 pools)')))).size).toBe(8)
  })

  it('have a share of token transfers that go to few recipients in equal parts', async () => {
    const hot = await caseOf(rowNamed('erc20-hot'))
    expect(new Set(sendersOf(hot)).size).toBe(TRANSACTIONS)
    expect(new Set(recipientsOf(hot)).size).toBe(1)
    const transfersTo = new Map<string, number>()
    for (const { data } of hot.freshBlock(createWorkloadCommon()).transactions) {
      const recipient = data.subarray(4, 36).join()
      transfersTo.set(recipient, (transfersTo.get(recipient) ?? 0) + 1)
    }
    const shared = [...transfersTo.values()].filter((count) => count > 1)
    expect(shared).toEqual(Array(HOT_RECIPIENTS).fill((HOT_SHARE * TRANSACTIONS) / HOT_RECIPIENTS))
  })

  it('name each of their contracts, and a pool with its tokens', async () => {
    const namesOf = async (row: string) => [...(await caseOf(rowNamed(row))).contractNames.values()]
    expect(await namesOf('transfers')).toEqual([])
    expect(await namesOf('erc20-hot')).toEqual(['Token 1'])
    expect(await namesOf('mint')).toEqual(['MintCounter 1'])
    const pools = await caseOf(rowNamed('amm (3 pools)'))
    expect([...pools.contractNames.values()].slice(3, 6)).toEqual([
      'Pool 2 token0',
      'Pool 2 token1',
      'Pool 2',
    ])
    const called = recipientsOf(pools).map((address) => pools.contractNames.get(address))
    expect(new Set(called)).toEqual(new Set(['Pool 1', 'Pool 2', 'Pool 3']))
  })

  it('put the reserves where the contract has them, the first in the lower bits', () => {
    const { reserve0, reserve1 } = poolArtifact.storage
    expect(reserve0).toEqual({ slot: reserve1.slot, offset: 0 })
    expect(reserve1.offset * 8).toBe(112)
  })

  it('keep the constant product of a pool from falling', async () => {
    const swaps = await caseOf(rowNamed('amm (1 pool)'))
    const [pool] = recipientsOf(swaps)
    const vm = await swaps.freshVm()
    const product = async (): Promise<bigint> => {
      const slot = toWord(poolArtifact.storage.reserve0.slot)
      const word = bytesToBigInt(
        await vm.stateManager.getStorage(createAddressFromString(pool!), slot),
      )
      return (word & (2n ** 112n - 1n)) * (word >> 112n)
    }
    const before = await product()
    await runBlock(vm, { block: swaps.freshBlock(vm.common), skipBlockValidation: true })
    expect(await product()).toBeGreaterThan(before)
  })

  it('have their share of hot transactions in mixed', async () => {
    const transactions = 100
    const mixed = await caseOf(rowNamed('mixed'), 1, transactions)
    const recipients = recipientsOf(mixed)
    const senders = sendersOf(mixed)
    const accounts = accountsOf(1)
    const exchange = accounts.address('exchange', 0)
    const bot = accounts.sender(transactions).address
    const block = mixed.freshBlock(createWorkloadCommon())
    const exchangeWord = toWord(exchange).join()
    const swapsOfPool = new Map<string, number>()
    const codeOf = new Map<string, number>()
    const vm = await mixed.freshVm()
    for (const address of new Set(recipients)) {
      const code = await vm.stateManager.getCode(createAddressFromString(address))
      codeOf.set(address, code.length)
    }
    const sizeOf = (code: string): number => hexToBytes(code as `0x${string}`).length
    const isContract = (address: string, code: string) => codeOf.get(address) === sizeOf(code)
    for (const recipient of recipients) {
      if (!isContract(recipient, poolArtifact.runtimeCode)) continue
      swapsOfPool.set(recipient, (swapsOfPool.get(recipient) ?? 0) + 1)
    }
    const [hotPool] = [...swapsOfPool].sort((first, second) => second[1] - first[1])[0]!
    const hot = block.transactions.filter(
      ({ data }, index) =>
        recipients[index] === exchange ||
        senders[index] === bot ||
        recipients[index] === hotPool ||
        isContract(recipients[index]!, mintCounterArtifact.runtimeCode) ||
        data.subarray(4, 36).join() === exchangeWord,
    )
    expect(hot).toHaveLength(HOT_SHARE * transactions)
  })

  it('stop being prepared when the user interrupts', async () => {
    const interrupt = new AbortController()
    interrupt.abort()
    const preparing = createGeneratedCase({
      workload: 'transfers',
      row: rowNamed('transfers'),
      transactions: 64,
      seed: 3,
      accounts: createAccounts(3),
      signal: interrupt.signal,
    })
    await expect(preparing).rejects.toThrow(/abort/i)
  })
})
