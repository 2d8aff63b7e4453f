// Blocks of a devnet against stock: each is executed again by ethereumjs' own runBlock, on its own state
// manager, from nothing but what JSON-RPC tells of it, and must come out with the header that it has.
import { type Block, createBlockFromRPC, type JSONRPCBlock } from '@ethereumjs/block'
import { createCustomCommon, Mainnet } from '@ethereumjs/common'
import { MerkleStateManager } from '@ethereumjs/statemanager'
import { Account, bytesToHex, createAddressFromString, hexToBytes } from '@ethereumjs/util'
import { createVM, runBlock } from '@ethereumjs/vm'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { createParallelExecutor, type ParallelExecutor } from '../../../src/index.ts'
import { testKzg } from '../../support/kzg.ts'
import { createRandom } from './malformed-requests.ts'
import { RandomPool } from './random-pool.ts'
import { ETHER, hex, startDevnet, type TestDevnet } from './test-devnet.ts'

const SYSTEM_CONTRACTS = [
  '0x000f3df6d732807ef1319fb7b8bb8522d0beac02',
  '0x0000f90827f1c53a10cb7a02335b175320002935',
]
/** Adds one to slot 0, logs it with its caller as a topic, and fails for calls with data. */
const COUNTER = '0x366014575f54600101805f555f523360205fa1005b5f5ffd'

const common = createCustomCommon({ chainId: 31_337 }, Mainnet, {
  hardfork: 'osaka',
  customCrypto: { kzg: testKzg() },
})

/** What went wrong with workers must show, and not be made good on the calling thread. */
let executor: ParallelExecutor

beforeAll(async () => {
  executor = await createParallelExecutor({
    workers: 2,
    fallback: false,
    workerSetup: new URL('../../../plugin/devnet/kzg/worker-setup.ts', import.meta.url),
  })
})
afterAll(() => executor.close())

const seeds = [20_261_121, Number(process.env.REPLAY_SEED ?? Date.now() % 2 ** 31)]
it.each(seeds)('every block of a random chain is what stock makes of it, seed %i', async (seed) => {
  const executors = { forBlock: async () => executor, release: () => {} }
  await using devnet = await startDevnet({ mining: { auto: false } }, { executors })
  await fillChain(devnet, createRandom(seed))
  const blocks = await allBlocks(devnet)
  const transactions = blocks.flatMap((block) => block.transactions)
  expect(transactions.length).toBeGreaterThan(40)
  expect(new Set(transactions.map(({ type }) => type)).size).toBe(5)

  const stateManager = await genesisState(devnet)
  expect(bytesToHex(await stateManager.getStateRoot())).toBe(
    bytesToHex((blocks[0] as Block).header.stateRoot),
  )
  const blockchain = {
    getBlock: async (number: number) => blocks[number] as Block,
    putBlock: async () => {},
    shallowCopy() {
      return this
    },
  }
  const vm = await createVM({ common, stateManager, blockchain })
  for (const block of blocks.slice(1)) {
    // Stock compares gas, receipts, bloom, state root and requests with the header.
    await runBlock(vm, { block, skipBlockValidation: true })
    expect(await block.transactionsTrieIsValid()).toBe(true)
  }
})

/** Blocks of one to thirty transactions of all kinds, and some empty ones. */
async function fillChain(devnet: TestDevnet, random: () => number): Promise<void> {
  const pick = (count: number) => Math.floor(random() * count)
  const pool = new RandomPool(devnet, pick, await deploy(devnet))
  for (let block = 0; block < 8; block++) {
    for (let sent = 1 + pick(30); sent > 0; sent--) await pool.send()
    await devnet.ask('evm_mine')
    if (pick(3) === 0) await devnet.ask('evm_increaseTime', 1 + pick(1_000))
    if (pick(3) === 0) await devnet.ask('evm_mine')
  }
}

async function deploy(devnet: TestDevnet): Promise<string> {
  const size = (COUNTER.length - 2) / 2
  const copy = `60${size.toString(16).padStart(2, '0')}`
  const hash = await devnet.text('eth_sendTransaction', {
    from: devnet.accounts[0],
    // Copies what follows these 10 bytes to memory and returns it.
    data: `0x${copy}600a5f39${copy}5ff3${COUNTER.slice(2)}`,
  })
  await devnet.ask('evm_mine')
  return (await devnet.object('eth_getTransactionReceipt', hash)).contractAddress as string
}

async function allBlocks(devnet: TestDevnet): Promise<Block[]> {
  const last = Number(await devnet.text('eth_blockNumber'))
  const blocks: Block[] = []
  for (let number = 0; number <= last; number++) {
    const json = await devnet.object('eth_getBlockByNumber', hex(number), true)
    const transactions = (json.transactions as Record<string, unknown>[]).map((transaction) => {
      // What it paid in the end is no part of a transaction that names its highest fee.
      const { gasPrice, ...rest } = transaction
      return 'maxFeePerGas' in rest ? rest : transaction
    })
    const block = createBlockFromRPC({ ...json, transactions } as unknown as JSONRPCBlock, [], {
      common,
    })
    expect(bytesToHex(block.hash())).toBe(json.hash)
    blocks.push(block)
  }
  return blocks
}

async function genesisState(devnet: TestDevnet): Promise<MerkleStateManager> {
  const state = new MerkleStateManager({ common })
  for (const address of devnet.accounts) {
    await state.putAccount(createAddressFromString(address), new Account(0n, 10_000n * ETHER))
  }
  for (const name of SYSTEM_CONTRACTS) {
    const address = createAddressFromString(name)
    await state.putAccount(address, new Account(1n))
    await state.putCode(
      address,
      hexToBytes((await devnet.text('eth_getCode', name, '0x0')) as `0x${string}`),
    )
  }
  return state
}
