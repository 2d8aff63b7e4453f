// Calls, estimates, transactions and traces on a devnet and on Hardhat's own network: the same answers.
import { privateKeyToAccount } from 'viem/accounts'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { type Compiled, compileFailing } from '../tracing/failing-contracts.ts'
import { differences } from './differences.ts'
import {
  type Addresses,
  type Call,
  contractCalls,
  creations,
  deployed,
  from,
  refusedCalls,
  stranger,
} from './scenarios.ts'
import { type Answers, startBoth, type TwoNetworks } from './two-networks.ts'

// Of callTracer only what is no name of a failure: theirs are of their implementation where geth has one.
const namesOfFailures = [/\.error$/]
const tenMinutes = 600_000

let compiled: Compiled
beforeAll(() => {
  compiled = compileFailing()
})

describe.each([
  { knows: 'nothing of contracts', isKnowing: false },
  { knows: 'the contracts', isKnowing: true },
])('beside a Hardhat network that knows $knows', ({ isKnowing }) => {
  let two: TwoNetworks
  let at: Addresses
  let time = 1_900_000_000

  beforeAll(async () => {
    two = await startBoth(isKnowing ? compiled : undefined)
    const addresses: Record<string, string> = {}
    for (const name of deployed) {
      await nextBlock()
      const creation = { from, data: compiled.bytecode(name), gas: '0x989680' }
      const hash = await two.grant('eth_sendTransaction', creation)
      const receipt = (await two.grant('eth_getTransactionReceipt', hash)) as Record<string, string>
      addresses[name] = receipt.contractAddress!
    }
    at = addresses as Addresses
  }, tenMinutes)
  afterAll(() => two[Symbol.asyncDispose]())

  /** Blocks of both at the same time. */
  async function nextBlock(): Promise<void> {
    time += 10
    await two.grant('evm_setNextBlockTimestamp', time)
  }

  async function same(
    what: string,
    method: string,
    params: readonly unknown[],
    except: readonly RegExp[] = [],
  ): Promise<Answers> {
    const answers = await two.both(method, ...params)
    expect(differences(answers, except), `${method}: ${what}`).toEqual([])
    return answers
  }

  async function sameReads(what: string, call: Call): Promise<void> {
    await same(what, 'eth_call', [call])
    await same(what, 'eth_call', [call, 'pending'])
    await same(what, 'eth_estimateGas', [call])
    await same(what, 'debug_traceCall', [call])
    const all = { enableMemory: true, enableReturnData: true, disableStack: true }
    await same(what, 'debug_traceCall', [call, 'latest', all])
    const calls = { tracer: 'callTracer', tracerConfig: { withLog: true } }
    await same(what, 'debug_traceCall', [call, 'latest', calls], namesOfFailures)
  }

  async function sameSent(what: string, call: Call): Promise<void> {
    await nextBlock()
    const { theirs } = await same(what, 'eth_sendTransaction', [{ gas: '0xf4240', ...call }])
    const failed = 'message' in theirs ? (theirs.data as { transactionHash?: string }) : undefined
    const hash =
      'result' in theirs ? theirs.result : (theirs.transactionHash ?? failed?.transactionHash)
    if (typeof hash === 'string') {
      await same(what, 'eth_getTransactionReceipt', [hash], [/\.blockTimestamp$/])
      await same(what, 'debug_traceTransaction', [hash])
      const calls = [hash, { tracer: 'callTracer' }]
      await same(what, 'debug_traceTransaction', calls, namesOfFailures)
    }
    // Theirs leave out fields of transactions that clients know from others.
    const ofTransactions = [/\.transactions\.\d+\.(yParity|chainId)$/]
    await same(what, 'eth_getBlockByNumber', ['latest', true], ofTransactions)
  }

  it(
    'calls of contracts get the same results, failures, estimates and traces',
    async () => {
      for (const [what, call] of Object.entries(contractCalls(compiled, at))) {
        await sameReads(what, { from, ...call })
      }
    },
    tenMinutes,
  )

  it(
    'creations do',
    async () => {
      for (const [what, call] of Object.entries(creations(compiled))) {
        await sameReads(what, { from, ...call })
      }
    },
    tenMinutes,
  )

  it(
    'calls that are refused get the same errors',
    async () => {
      for (const [what, call] of Object.entries(refusedCalls(compiled, at))) {
        await sameReads(what, { from, ...call })
      }
    },
    tenMinutes,
  )

  it(
    'transactions have the same effects, receipts, failures and traces',
    async () => {
      const all = { ...contractCalls(compiled, at), ...creations(compiled) }
      for (const [what, call] of Object.entries(all)) await sameSent(what, { from, ...call })
    },
    tenMinutes,
  )

  it(
    'transactions that are refused get the same errors',
    async () => {
      for (const [what, call] of Object.entries(refusedCalls(compiled, at))) {
        await sameSent(what, { from, ...call })
      }
    },
    tenMinutes,
  )

  it('signed transactions that are refused get the same errors', async () => {
    const key = '0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80'
    const account = privateKeyToAccount(key)
    const nonce = Number(await two.grant('eth_getTransactionCount', from))
    const usual = { nonce, gas: 100_000n, gasPrice: 10n ** 10n, chainId: 31_337, to: stranger }
    const fees = { gasPrice: undefined, maxFeePerGas: 1n, maxPriorityFeePerGas: 1n }
    const reverting = { to: at.Failing, data: compiled.selector('reason()') }
    const refused: Record<string, object> = {
      'a nonce that was used': { nonce: 0 },
      'a nonce too high': { nonce: 9_999 },
      'another chain': { chainId: 1 },
      'a price below the base fee': { gasPrice: 1n },
      'a fee below the base fee': { type: 'eip1559', ...fees },
      'too little gas': { gas: 20_000n },
      'more value than there is': { value: 10n ** 24n },
      'a failure': reverting,
    }
    for (const [what, rest] of Object.entries(refused)) {
      await nextBlock()
      const raw = await account.signTransaction({ ...usual, ...rest } as never)
      await same(what, 'eth_sendRawTransaction', [raw])
    }
    const sent = await account.signTransaction({ ...usual, nonce: nonce + 1 } as never)
    await nextBlock()
    await same('a payment', 'eth_sendRawTransaction', [sent])
    await same('the same again', 'eth_sendRawTransaction', [sent])
    await same('no transaction', 'eth_sendRawTransaction', ['0x05c0'])
  })

  it('blocks and states that a call names are the same', async () => {
    const fee = { to: at.More, data: compiled.selector('fee()') }
    const unknown = { blockHash: `0x${'11'.repeat(32)}` }
    const tags = [
      'earliest',
      'latest',
      'pending',
      'safe',
      'finalized',
      '0x1',
      '0x0',
      '0x9999',
      unknown,
    ]
    for (const tag of tags) {
      await same(JSON.stringify(tag), 'eth_call', [fee, tag])
      await same(JSON.stringify(tag), 'eth_estimateGas', [fee, tag])
    }
    const word = `0x${'0'.repeat(64)}`
    const balance = { to: at.More, data: compiled.selector('balanceOfThis()') }
    // Returns the word in slot 0.
    const code = '0x60005460005260206000f3'
    const overrides: Record<string, object> = {
      balance: { [at.More]: { balance: '0x7' } },
      nonce: { [at.More]: { nonce: '0x7' } },
      'code and a slot': { [at.More]: { code, stateDiff: { [word]: `0x${'11'.repeat(32)}` } } },
      'all slots': { [at.More]: { code, state: {} } },
      both: { [at.More]: { state: {}, stateDiff: {} } },
    }
    for (const [what, override] of Object.entries(overrides)) {
      await same(what, 'eth_call', [balance, 'latest', override])
    }
    await same('nobody calls', 'eth_call', [{ ...balance, value: '0x5' }])
    await same('nothing', 'eth_call', [{}])
    await same('no block', 'eth_call', [balance, null])
    await same('no transaction', 'debug_traceTransaction', [`0x${'11'.repeat(32)}`])
  })
})
