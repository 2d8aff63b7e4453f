// debug_traceCall against Hardhat's own network, program by program and tracer by tracer.
import type { PrefixedHexString } from '@ethereumjs/util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { traceCall } from '../../../../plugin/devnet/tracing/trace-transaction.ts'
import { assembleHex, type Instruction } from '../../../support/assembler.ts'
import {
  contractAddress,
  defaultGas,
  firstBlock,
  type HardhatReference,
  type ReferenceAccount,
  sender,
  startHardhat,
  withAccounts,
} from './hardhat-reference.ts'

const program = contractAddress(1)
const helper = contractAddress(2)
const empty = contractAddress(3)

const storeAndReturn = assembleHex([7, 1, 'SSTORE', 1, 'SLOAD', 0, 'MSTORE', 32, 0, 'RETURN'])
const revertWithWord = assembleHex([0xbeef, 0, 'MSTORE', 32, 0, 'REVERT'])
const callHelper = (opcode: Instruction): Instruction[] =>
  opcode === 'CALL' || opcode === 'CALLCODE'
    ? [32, 0, 4, 0, 0, BigInt(helper), 'GAS', opcode]
    : [32, 0, 4, 0, BigInt(helper), 'GAS', opcode]
const sendFive: Instruction[] = [0, 0, 0, 0, 5, BigInt(empty), 50_000, 'CALL', 0, 'MSTORE']

interface Case {
  readonly code: PrefixedHexString
  readonly helper?: ReferenceAccount
  readonly value?: bigint
}

const cases: Readonly<Record<string, Case>> = {
  'arithmetic that runs off the end of the code': { code: assembleHex([1, 2, 'ADD', 0, 'MSTORE']) },
  'storage read and written': { code: storeAndReturn },
  'a call that succeeds': {
    code: assembleHex(callHelper('CALL'), [0, 'MLOAD', 2, 'SSTORE']),
    helper: { code: storeAndReturn },
  },
  'a static call that reverts': {
    code: assembleHex(callHelper('STATICCALL'), ['RETURNDATASIZE', 0, 'MSTORE']),
    helper: { code: revertWithWord },
  },
  'a delegated call': {
    code: assembleHex(callHelper('DELEGATECALL')),
    helper: { code: storeAndReturn },
    value: 3n,
  },
  'a call of other code': {
    code: assembleHex(callHelper('CALLCODE')),
    helper: { code: storeAndReturn },
  },
  'a call of a precompile': { code: assembleHex([32, 0, 4, 0, 4, 'GAS', 'STATICCALL']) },
  'a payment': { code: assembleHex(sendFive), value: 9n },
  'a payment that cannot be paid': { code: assembleHex(sendFive) },
  'logs, of which some are taken back': {
    code: assembleHex([1, 2, 3, 32, 0, 'LOG3'], callHelper('CALL'), [5, 64, 0, 'LOG1']),
    helper: { code: assembleHex([32, 0, 'LOG0', 0, 0, 'REVERT']) },
  },
  'a revert': { code: revertWithWord },
  'a creation that runs off its end': { code: assembleHex([0, 0, 'MSTORE', 0, 0, 0, 'CREATE']) },
  'a creation with a salt': {
    code: assembleHex([7, 2, 0, 0, 'CREATE2', 'EXTCODESIZE', 0, 'MSTORE']),
  },
  selfdestruct: { code: assembleHex([BigInt(empty), 'SELFDESTRUCT']), value: 4n },
  'balances and code looked at': {
    code: assembleHex([BigInt(helper), 'BALANCE', BigInt(helper), 'EXTCODEHASH']),
    helper: { balance: 3n, code: '0x00' },
  },
}

const failures: Readonly<Record<string, Case>> = {
  'a bad jump': { code: assembleHex([3, 'JUMP']) },
  'the invalid instruction': { code: '0x60fe fe'.replace(' ', '') as PrefixedHexString },
  'no gas left': { code: assembleHex(['JUMPDEST', 0, 'JUMP']) },
}

let hardhat: HardhatReference
beforeAll(async () => {
  hardhat = await startHardhat()
})
afterAll(() => hardhat.close())

async function traceBoth(
  { code, helper: other, value = 0n }: Case,
  options: unknown,
): Promise<{ ours: unknown; theirs: unknown }> {
  const accounts: Record<PrefixedHexString, ReferenceAccount> = {
    [program]: { code },
    [helper]: other ?? { code: '0x' },
    [empty]: {},
  }
  const vm = await withAccounts(accounts, hardhat)
  const call = {
    from: sender.toString(),
    to: program,
    value: `0x${value.toString(16)}`,
    gas: '0x30d40',
    data: '0x01020304',
  }
  const block = firstBlock(vm.common)
  const theirs = await hardhat.request('debug_traceCall', call, 'latest', options)
  const ours = await traceCall({ vm, block, call, options, defaultGas })
  return { ours, theirs }
}

/** Hardhat counts logs on that were taken back; geth, which defines the tracer, does not. */
function withoutLogIndex(trace: unknown): unknown {
  return JSON.parse(JSON.stringify(trace, (key, value) => (key === 'index' ? undefined : value)))
}

/** Geth leaves out accounts that do not exist, and Hardhat the hash of the code. */
function comparablePrestate(trace: unknown): unknown {
  const accounts = trace as Record<string, Record<string, unknown>>
  return Object.fromEntries(
    Object.entries(accounts).flatMap(([address, { codeHash: _, ...account }]) => {
      return JSON.stringify(account) === '{"balance":"0x0"}' ? [] : [[address, account]]
    }),
  )
}

describe('debug_traceCall', () => {
  for (const [name, given] of Object.entries(cases)) {
    it(`gives the entries that Hardhat gives for ${name}`, async () => {
      const options = { enableMemory: true, enableReturnData: true }
      const { ours, theirs } = await traceBoth(given, options)
      expect(ours).toEqual(theirs)
    })

    it(`gives the calls that Hardhat gives for ${name}`, async () => {
      const options = { tracer: 'callTracer', tracerConfig: { withLog: true } }
      const { ours, theirs } = await traceBoth(given, options)
      expect(withoutLogIndex(ours)).toEqual(withoutLogIndex(theirs))
    })

    it(`gives the state that Hardhat finds before ${name}`, async () => {
      const { ours, theirs } = await traceBoth(given, { tracer: 'prestateTracer' })
      expect(comparablePrestate(ours)).toEqual(comparablePrestate(theirs))
    })
  }

  for (const [name, given] of Object.entries(failures)) {
    it(`gives the entries that Hardhat gives up to ${name}`, async () => {
      const { ours, theirs } = await traceBoth(given, {})
      const comparable = (trace: unknown) => {
        const { structLogs, ...rest } = trace as { structLogs: Record<string, unknown>[] }
        const last = structLogs.at(-1)!
        return { ...rest, before: structLogs.slice(0, -1), at: [last.pc, last.op, last.gas] }
      }
      expect(comparable(ours)).toEqual(comparable(theirs))
    })
  }

  it('leaves out what the options disable', async () => {
    const { ours, theirs } = await traceBoth(cases['storage read and written']!, {
      disableStack: true,
      disableStorage: true,
      disableMemory: true,
    })
    expect(ours).toEqual(theirs)
    expect(JSON.stringify(ours)).not.toMatch(/stack|storage|memory/)
  })

  it('shows only the first call if asked to', async () => {
    const options = { tracer: 'callTracer', tracerConfig: { onlyTopCall: true } }
    const { ours, theirs } = await traceBoth(cases['a call that succeeds']!, options)
    expect(ours).toEqual(theirs)
    expect(ours).not.toHaveProperty('calls')
  })

  it('counts logs without those that were taken back', async () => {
    const options = { tracer: 'callTracer', tracerConfig: { withLog: true } }
    const name = 'logs, of which some are taken back'
    const { ours } = await traceBoth(cases[name]!, options)
    const { logs } = ours as { logs: { index: string; position: string }[] }
    expect(logs.map(({ index, position }) => [index, position])).toEqual([
      ['0x0', '0x0'],
      ['0x1', '0x1'],
    ])
  })

  it('names failures of frames as geth does', async () => {
    const options = { tracer: 'callTracer' }
    const errorOf = async (code: PrefixedHexString) =>
      (await traceBoth({ code }, options)).ours as { error: string }
    expect((await errorOf('0x50')).error).toBe('stack underflow (0 <=> 1)')
    expect((await errorOf('0x600056')).error).toBe('invalid jump destination')
    expect((await errorOf('0xfe')).error).toBe('invalid opcode: INVALID')
    expect((await errorOf('0x0c')).error).toBe('invalid opcode: opcode 0xc not defined')
    expect((await errorOf('0x5b600056')).error).toBe('out of gas')
  })

  it('gives what a call changes in diffMode', async () => {
    const vm = await withAccounts({
      [program]: {
        code: storeAndReturn,
        storage: { [`0x${'0'.repeat(63)}2` as const]: '0x05' as const },
      },
    })
    const call = { from: sender.toString(), to: program, value: '0x5' }
    const options = { tracer: 'prestateTracer', tracerConfig: { diffMode: true } }
    const trace = await traceCall({ vm, block: firstBlock(vm.common), call, options, defaultGas })
    const slot = `0x${'0'.repeat(63)}1`
    expect(trace).toMatchObject({
      pre: {
        [program]: { balance: '0x0', code: storeAndReturn },
        [sender.toString()]: { balance: expect.any(String) },
      },
      post: {
        [program]: { balance: '0x5', storage: { [slot]: `0x${'7'.padStart(64, '0')}` } },
        [sender.toString()]: { nonce: 1 },
      },
    })
    expect((trace as { pre: Record<string, object> }).pre[program]).not.toHaveProperty('storage')
  })

  it('runs on the state and the block that the options make', async () => {
    const vm = await withAccounts({})
    const code = assembleHex(['NUMBER', 0, 'MSTORE', 32, 0, 'RETURN'])
    const options = {
      stateOverrides: { [program]: { code } },
      blockOverrides: { number: '0x2a' },
    }
    const call = { to: program }
    const trace = await traceCall({ vm, block: firstBlock(vm.common), call, options, defaultGas })
    expect(trace).toMatchObject({ returnValue: `0x${'2a'.padStart(64, '0')}` })
  })

  it('refuses tracers and options that there are not, saying which', async () => {
    const vm = await withAccounts({})
    const trace = (options: unknown, call: unknown = {}) =>
      traceCall({ vm, block: firstBlock(vm.common), call, options, defaultGas })
    await expect(trace({ tracer: 'nope' })).rejects.toMatchObject({
      code: -32602,
      message: expect.stringContaining('"nope"'),
    })
    await expect(
      trace({ tracer: 'callTracer', tracerConfig: { withLog: 1 } }),
    ).rejects.toMatchObject({ code: -32602, message: expect.stringContaining('withLog') })
    await expect(trace({ limit: -1 })).rejects.toMatchObject({ code: -32602 })
    await expect(trace({}, { to: program, gas: '0x100' })).rejects.toMatchObject({
      code: -32000,
      message: 'Transaction requires at least 21000 gas but got 256',
    })
  })
})
