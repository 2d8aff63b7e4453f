// What a user of the installed package writes: one block, in parallel and with stock ethereumjs.
// The authority on what the pack test demands of the package; it is copied into an empty project and runs there.
// Must not import anything by path: only what the installed package brings along.
import { strict as assert } from 'node:assert'
import { createBlock } from '@ethereumjs/block'
import { Common, Hardfork, Mainnet } from '@ethereumjs/common'
import { createFeeMarket1559Tx } from '@ethereumjs/tx'
import { Account, createAddressFromPrivateKey } from '@ethereumjs/util'
import { createVM, runBlock as runStockBlock, type VM } from '@ethereumjs/vm'
import {
  type BlockReport,
  createParallelExecutor,
  type ParallelExecutor,
  type ParallelOptions,
  type ParallelRunBlockResult,
  runBlock,
} from 'parallel-evm'

const common = new Common({ chain: Mainnet, hardfork: Hardfork.Cancun })
const keys = Array.from({ length: 20 }, (_, index) => new Uint8Array(32).fill(index + 1))
const addresses = keys.map((key) => createAddressFromPrivateKey(key))

async function createFundedVM(): Promise<VM> {
  const vm = await createVM({ common })
  for (const address of addresses) {
    await vm.stateManager.putAccount(address, new Account(0n, 10n ** 18n))
  }
  return vm
}

const transactions = keys.map((key, index) =>
  createFeeMarket1559Tx(
    {
      to: addresses[(index * 7 + 1) % addresses.length],
      value: 1000n + BigInt(index),
      gasLimit: 21_000,
      maxFeePerGas: 10n ** 10n,
      maxPriorityFeePerGas: 10n ** 9n,
    },
    { common },
  ).sign(key),
)
const block = createBlock(
  { header: { number: 1, timestamp: 1, gasLimit: 30_000_000, baseFeePerGas: 7n }, transactions },
  { common, skipConsensusFormatValidation: true },
)
const runBlockOptions = { block, generate: true, skipBlockValidation: true }
const options: ParallelOptions = { workers: 2, scheduler: 'optimistic', fallback: false }

const expected = await runStockBlock(await createFundedVM(), runBlockOptions)
const executor: ParallelExecutor = await createParallelExecutor(options)
try {
  const actual: ParallelRunBlockResult = await executor.runBlock(
    await createFundedVM(),
    runBlockOptions,
  )
  assert.equal(actual.parallel.mode, 'parallel', actual.parallel.why)
  assertSame(actual)
} finally {
  await executor.close()
}

// The import that replaces stock's: whichever way it chooses to run so small a block.
const replaced = await runBlock(await createFundedVM(), runBlockOptions)
const mode: BlockReport['mode'] = replaced.parallel.mode
assertSame(replaced)
console.log(`${transactions.length} transactions equal to stock, drop-in mode ${mode}`)

function assertSame(actual: ParallelRunBlockResult): void {
  assert.deepEqual(actual.stateRoot, expected.stateRoot)
  assert.deepEqual(actual.receipts, expected.receipts)
  assert.deepEqual(actual.receiptsRoot, expected.receiptsRoot)
  assert.deepEqual(actual.logsBloom, expected.logsBloom)
  assert.equal(actual.gasUsed, expected.gasUsed)
  assert.equal(actual.receipts.length, transactions.length)
}
