// Script: a block in which each transaction needs what the one before wrote, with the access list that it
// brings (EIP-7928), without it, and with stock. Prints medians of wall time, in ms.
// It must not judge: what is equal to stock is the tests' matter; here only the state root is looked at.
// node test/bench/listed-block.ts [--transactions 200] [--runs 5]
import { parseArgs } from 'node:util'
import { createBlockFromRLP } from '@ethereumjs/block'
import { Address, equalsBytes, privateToAddress, privateToPublic } from '@ethereumjs/util'
import { type RunBlockOpts, type RunBlockResult, runBlock, type VM } from '@ethereumjs/vm'
import { keccak_256 } from '@noble/hashes/sha3.js'

import type { BlockReport } from '../../src/index.ts'
import { listMaker } from '../support/brought-list.ts'
import { makeBlock, makeWorld } from '../support/hand-made-block.ts'
import {
  type Actor,
  contracts,
  ether,
  numberWord,
  systemContracts,
} from '../support/random-world.ts'
import { contractOf } from '../support/small-contracts.ts'
import { strictExecutor } from '../support/strict-executor.ts'

const { values } = parseArgs({
  options: {
    transactions: { type: 'string', default: '200' },
    runs: { type: 'string', default: '5' },
  },
})
const count = Number(values.transactions)
const runs = Number(values.runs)

const senders: Actor[] = Array.from({ length: count }, (_, index) => {
  const privateKey = keccak_256(numberWord(index + 1))
  const address = new Address(privateToAddress(privateKey))
  return { privateKey, publicKey: privateToPublic(privateKey), address }
})
/** Takes the next number, writes down whose it is, and logs it. */
const mint = contractOf([
  [0, 'SLOAD', 1, 'ADD', 'DUP1', 0, 'SSTORE', 'DUP1', 0, 'MSTORE', 1, 32, 'MSTORE'],
  ['CALLER', 64, 0, 'KECCAK256', 'SSTORE', 'CALLER', 32, 0, 'LOG1'],
])
const queue = contractOf([[0, 'SLOAD', 0, 'MSTORE', 32, 0, 'RETURN']])
const world = await makeWorld({
  hardfork: 'amsterdam',
  accounts: {
    ...Object.fromEntries(
      senders.map(({ address }) => [address.toString(), { balance: 100n * ether }]),
    ),
    [contracts.counter.toString()]: mint,
    [systemContracts.builderDeposits.toString()]: queue,
    [systemContracts.builderExits.toString()]: queue,
    [systemContracts.withdrawals.toString()]: queue,
  },
})
const transactions = senders.map((from) => ({ from, to: contracts.counter }))
const plain = makeBlock(world.common, { transactions, gasLimit: BigInt(count) * 2_000_000n })
const { block, options } = await (await listMaker(await world.vm(), plain))()
const rlp = block.serialize()

type Run = (vm: VM, options: RunBlockOpts) => Promise<RunBlockResult & { parallel?: BlockReport }>
const contenders: { name: string; run: Run; brings: boolean }[] = [
  { name: 'stock', run: runBlock, brings: false },
  { name: 'stock, checking the list', run: runBlock, brings: true },
]
const executors = []
for (const workers of [1, 2]) {
  const executor = await strictExecutor({ workers, scheduler: 'graph' })
  executors.push(executor)
  const run: Run = (vm, opts) => executor.runBlock(vm, opts)
  contenders.push({ name: `${workers} workers, without its list`, run, brings: false })
  contenders.push({ name: `${workers} workers, with its list`, run, brings: true })
}

const times = contenders.map(() => [] as number[])
const reports: (BlockReport | undefined)[] = []
for (let round = 0; round <= runs; round++) {
  for (let turn = 0; turn < contenders.length; turn++) {
    const at = (turn + round) % contenders.length
    const { run, brings } = contenders[at]!
    const vm = await world.vm()
    const again = createBlockFromRLP(rlp, {
      common: vm.common,
      skipConsensusFormatValidation: true,
    })
    const start = performance.now()
    const result = await run(vm, {
      block: again,
      skipHeaderValidation: true,
      ...(brings ? options : {}),
    })
    const time = performance.now() - start
    if (!equalsBytes(result.stateRoot, block.header.stateRoot)) throw new Error('another state')
    // The first round is for the compiler.
    if (round > 0) times[at]!.push(time)
    reports[at] = result.parallel
  }
}
for (const executor of executors) await executor.close()
for (const [at, { name }] of contenders.entries()) {
  const median = times[at]!.sort((a, b) => a - b)[runs >> 1]!
  const report = reports[at]
  const more =
    report === undefined
      ? ''
      : `${report.reExecutions} re-executions, ${report.conflicts} conflicts, plan ${report.phases.plan.toFixed(1)} ms`
  console.log(`${name.padEnd(32)} ${median.toFixed(0).padStart(6)} ms  ${more}`)
}
