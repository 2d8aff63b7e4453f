// The tracing methods end to end: on a devnet, as clients ask for them.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createDevnet } from '../../../../plugin/devnet/create-devnet.ts'
import type { Devnet, DevnetConnection } from '../../../../plugin/devnet/devnet-contract.ts'
import { assembleHex } from '../../../support/assembler.ts'
import { contractAddress } from './hardhat-reference.ts'

const counter = contractAddress(1)
const reverting = contractAddress(2)
const caller = contractAddress(3)
const payer = contractAddress(4)
const countUp = assembleHex([
  0,
  'SLOAD',
  1,
  'ADD',
  'DUP1',
  0,
  'SSTORE',
  0,
  'MSTORE',
  32,
  0,
  'RETURN',
])
const word = (value: number) => `0x${value.toString(16).padStart(64, '0')}`

let devnet: Devnet
let connection: DevnetConnection
let from: string
const ask = (method: string, ...params: unknown[]) => connection.request(method, params)

beforeAll(async () => {
  devnet = await createDevnet({ workers: 1 })
  connection = devnet.connect()
  from = devnet.accounts[0]!.address
  await ask('hardhat_setCode', counter, countUp)
  await ask('hardhat_setCode', reverting, assembleHex([0xbeef, 0, 'MSTORE', 2, 30, 'REVERT']))
  await ask(
    'hardhat_setCode',
    caller,
    assembleHex([
      0,
      0,
      0,
      0,
      BigInt(counter),
      'GAS',
      'DELEGATECALL',
      'POP',
      BigInt(counter),
      'BALANCE',
    ]),
  )
  await ask('hardhat_setCode', payer, assembleHex([0, 0, 0, 0, 3, BigInt(counter), 'GAS', 'CALL']))
})
afterAll(() => devnet.close())

async function send(to: string, rest: Record<string, unknown> = {}): Promise<string> {
  return (await ask('eth_sendTransaction', { from, to, gas: '0x186a0', ...rest })) as string
}

describe('tracing of mined transactions', () => {
  it('runs a transaction on the state that it found, also behind others of its block', async () => {
    await ask('evm_setAutomine', false)
    const sent = [await send(counter), await send(counter), await send(counter)]
    await ask('evm_mine')
    await ask('evm_setAutomine', true)
    await send(counter)
    const values: unknown[] = []
    for (const hash of sent) {
      const trace = (await ask('debug_traceTransaction', hash)) as {
        returnValue: string
        gas: number
      }
      const receipt = (await ask('eth_getTransactionReceipt', hash)) as { gasUsed: string }
      expect(BigInt(trace.gas)).toBe(BigInt(receipt.gasUsed))
      values.push(trace.returnValue)
    }
    expect(values).toEqual([word(1), word(2), word(3)])
    const { blockNumber, blockHash } = (await ask('eth_getTransactionReceipt', sent[0])) as {
      blockNumber: string
      blockHash: string
    }
    const whole = (await ask('debug_traceBlockByNumber', blockNumber, {
      tracer: 'callTracer',
    })) as {
      txHash: string
      result: { output: string }
    }[]
    expect(whole.map(({ txHash }) => txHash)).toEqual(sent)
    expect(whole.map(({ result }) => result.output)).toEqual(values)
    expect(await ask('debug_traceBlockByHash', blockHash, { tracer: 'callTracer' })).toEqual(whole)
  })

  it('traces a transaction that a contract sent while it was impersonated', async () => {
    await ask('hardhat_impersonateAccount', payer)
    await ask('hardhat_setBalance', payer, '0xde0b6b3a7640000')
    const hash = await ask('eth_sendTransaction', { from: payer, to: counter, gas: '0x186a0' })
    const trace = await ask('debug_traceTransaction', hash, { tracer: 'callTracer' })
    expect(trace).toMatchObject({ from: payer, to: counter, type: 'CALL' })
  })

  it('refuses what cannot be traced, saying why', async () => {
    const unknown = `0x${'11'.repeat(32)}`
    await expect(ask('debug_traceTransaction', unknown)).rejects.toMatchObject({
      code: -32000,
      message: `Unable to find a block containing transaction ${unknown}`,
    })
    const hash = await send(counter)
    const wrong = ask('debug_traceTransaction', hash, { tracer: 'jsTracer' })
    await expect(wrong).rejects.toMatchObject({ code: -32602 })
    await expect(ask('debug_traceTransaction', '0x11')).rejects.toMatchObject({ code: -32602 })
    expect(await ask('debug_traceBlockByNumber', 'earliest')).toEqual([])
  })
})

describe('eth_createAccessList', () => {
  it('lists what a call touches beside what is warm anyway, and what it then costs', async () => {
    const result = (await ask('eth_createAccessList', { from, to: caller })) as {
      accessList: { address: string; storageKeys: string[] }[]
      gasUsed: string
    }
    expect(result.accessList).toEqual(
      expect.arrayContaining([
        { address: caller, storageKeys: [word(0)] },
        { address: counter, storageKeys: [] },
      ]),
    )
    expect(result.accessList).toHaveLength(2)
    const { accessList, gasUsed } = result
    const hash = await send(caller, { accessList })
    const receipt = (await ask('eth_getTransactionReceipt', hash)) as { gasUsed: string }
    expect(BigInt(gasUsed)).toBeGreaterThan(21_000n)
    expect(BigInt(receipt.gasUsed)).toBe(BigInt(gasUsed))
  })

  it('says why a call failed', async () => {
    const result = await ask('eth_createAccessList', { from, to: reverting })
    expect(result).toMatchObject({ accessList: [], error: 'execution reverted' })
  })
})

describe('eth_simulateV1', () => {
  it('runs calls one after the other, block after block, and keeps nothing', async () => {
    const before = await ask('eth_getStorageAt', counter, '0x0', 'latest')
    const number = BigInt((await ask('eth_blockNumber')) as string)
    const blocks = (await ask('eth_simulateV1', {
      blockStateCalls: [
        { stateOverrides: { [counter]: { state: {} } }, calls: [{ to: counter }, { to: counter }] },
        { blockOverrides: { number: `0x${(number + 4n).toString(16)}` }, calls: [{ to: counter }] },
      ],
    })) as {
      number: string
      parentHash: string
      hash: string
      timestamp: string
      calls: { returnData: string; status: string }[]
    }[]
    expect(blocks.map((block) => BigInt(block.number) - number)).toEqual([1n, 2n, 3n, 4n])
    expect(blocks.map(({ calls }) => calls.map(({ returnData }) => returnData))).toEqual([
      [word(1), word(2)],
      [],
      [],
      [word(3)],
    ])
    for (const [index, block] of blocks.slice(1).entries()) {
      expect(block.parentHash).toBe(blocks[index]!.hash)
      expect(BigInt(block.timestamp)).toBe(BigInt(blocks[index]!.timestamp) + 12n)
    }
    expect(await ask('eth_getStorageAt', counter, '0x0', 'latest')).toBe(before)
    expect(BigInt((await ask('eth_blockNumber')) as string)).toBe(number)
  })

  it('answers failed calls with their errors, and goes on', async () => {
    const [block] = (await ask('eth_simulateV1', {
      blockStateCalls: [
        {
          stateOverrides: { [contractAddress(9)]: { code: '0xfe' } },
          calls: [{ to: reverting }, { to: contractAddress(9), gas: '0x186a0' }, { to: counter }],
        },
      ],
    })) as { calls: unknown[] }[]
    expect(block!.calls).toMatchObject([
      { status: '0x0', error: { code: 3, message: 'execution reverted', data: '0xbeef' } },
      {
        status: '0x0',
        gasUsed: '0x186a0',
        error: { code: -32015, message: 'invalid opcode: INVALID' },
      },
      { status: '0x1' },
    ])
  })

  it('shows transfers as logs if asked to, but none that were taken back', async () => {
    const [block] = (await ask('eth_simulateV1', {
      blockStateCalls: [
        {
          stateOverrides: { [payer]: { balance: '0x0' } },
          calls: [
            { from, to: payer, value: '0x5' },
            { from, to: reverting, value: '0x5' },
          ],
        },
      ],
      traceTransfers: true,
    })) as { hash: string; calls: { logs: Record<string, unknown>[] }[] }[]
    const [paid, refused] = block!.calls
    expect(paid!.logs).toMatchObject([
      { address: `0x${'ee'.repeat(20)}`, data: word(5), logIndex: '0x0', blockHash: block!.hash },
      { address: `0x${'ee'.repeat(20)}`, data: word(3), logIndex: '0x1' },
    ])
    expect(refused!.logs).toEqual([])
  })

  it('shows blocks to BLOCKHASH that there are only in the simulation', async () => {
    const code = assembleHex([1, 'NUMBER', 'SUB', 'BLOCKHASH', 0, 'MSTORE', 32, 0, 'RETURN'])
    const blocks = (await ask('eth_simulateV1', {
      blockStateCalls: [
        { stateOverrides: { [contractAddress(9)]: { code } } },
        { calls: [{ to: contractAddress(9) }] },
      ],
    })) as { hash: string; calls: { returnData: string }[] }[]
    expect(blocks[1]!.calls[0]!.returnData).toBe(blocks[0]!.hash)
  })

  it('refuses calls and blocks that could not be, with the codes of the specification', async () => {
    const poor = contractAddress(7)
    const failing: [code: number, block: unknown, rest?: object][] = [
      [
        -38010,
        { calls: [{ from, to: counter, nonce: '0x0', maxFeePerGas: '0x77359400' }] },
        { validation: true },
      ],
      [
        -38011,
        { calls: [{ from, to: counter, nonce: '0xffff', maxFeePerGas: '0x77359400' }] },
        { validation: true },
      ],
      [
        -38012,
        { blockOverrides: { baseFeePerGas: '0xa' }, calls: [{ from, to: counter }] },
        { validation: true },
      ],
      [-38013, { calls: [{ from, to: counter, gas: '0x1' }] }],
      [-38014, { calls: [{ from: poor, to: counter, value: '0x1' }] }],
      [-38015, { calls: [{ from, to: counter, gas: '0xffffffffff' }] }],
      [-38020, { blockOverrides: { number: '0x0' } }],
      [-38021, { blockOverrides: { time: '0x1' } }],
      [-38026, { blockOverrides: { number: '0xffffff' } }],
      [-32602, { calls: [{ to: '0x12' }] }],
    ]
    for (const [code, block, rest] of failing) {
      const answer = ask('eth_simulateV1', { blockStateCalls: [block], ...rest })
      await expect(answer, `code ${code}`).rejects.toMatchObject({ code })
    }
    await expect(ask('eth_simulateV1', {})).rejects.toMatchObject({ code: -32602 })
  })
})

describe('failures of calls and transactions', () => {
  it('are worded as Hardhat words them', async () => {
    const reason = {
      code: 3,
      message:
        'VM Exception while processing transaction: reverted with an unrecognized custom error (return data: 0xbeef)',
      data: '0xbeef',
    }
    await expect(ask('eth_call', { from, to: reverting })).rejects.toMatchObject(reason)
    await expect(ask('eth_estimateGas', { from, to: reverting })).rejects.toMatchObject(reason)
    await expect(send(reverting)).rejects.toMatchObject({
      ...reason,
      transactionHash: expect.stringMatching(/^0x[0-9a-f]{64}$/),
    })
    await ask('hardhat_setCode', contractAddress(9), '0xfe')
    await expect(ask('eth_call', { to: contractAddress(9) })).rejects.toMatchObject({
      message: 'VM Exception while processing transaction: invalid opcode',
    })
  })
})

describe('console.log of contracts', () => {
  it('is heard of from calls and from mined transactions, once each', async () => {
    const call = `f82c50f1${word(42).slice(2)}`
    const data = call.padEnd(128, '0')
    const printing = assembleHex(
      [BigInt(`0x${data.slice(0, 64)}`), 0, 'MSTORE'],
      [
        ...([BigInt(`0x${data.slice(64)}`), 32, 'MSTORE', 0, 0, 36, 0] as const),
        ...([0x636f6e736f6c652e6c6f67n, 'GAS', 'STATICCALL'] as const),
      ],
    )
    const lines: string[] = []
    const stop = devnet.on('log', (line) => lines.push(line))
    await ask('hardhat_setCode', contractAddress(8), printing)
    await ask('eth_call', { to: contractAddress(8) })
    expect(lines).toEqual(['42'])
    await send(contractAddress(8))
    expect(lines).toEqual(['42', '42'])
    stop()
  })
})
