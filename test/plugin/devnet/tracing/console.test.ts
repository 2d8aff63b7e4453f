// console.log of contracts: every signature of Hardhat's library, and lines as Hardhat writes them.
import { readFileSync } from 'node:fs'
import { hexToBytes, type PrefixedHexString } from '@ethereumjs/util'
import fc from 'fast-check'
import { encodeAbiParameters, toFunctionSelector } from 'viem'
import { describe, expect, it } from 'vitest'
import { applyMessage } from '../../../../plugin/devnet/tracing/apply-message.ts'
import { callBlock } from '../../../../plugin/devnet/tracing/call-block.ts'
import { callRequest, toCallMessage } from '../../../../plugin/devnet/tracing/call-request.ts'
import { withConsole } from '../../../../plugin/devnet/tracing/console/collect-console-lines.ts'
import {
  CONSOLE_ADDRESS,
  consoleLine,
} from '../../../../plugin/devnet/tracing/console/console-line.ts'
import { consoleSignatures } from '../../../../plugin/devnet/tracing/console/console-signatures.ts'
import { assembleHex } from '../../../support/assembler.ts'
import {
  contractAddress,
  defaultGas,
  firstBlock,
  sender,
  withAccounts,
} from './hardhat-reference.ts'

const library = new URL('../../../../node_modules/hardhat/console.sol', import.meta.url)
const internals = 'dist/src/internal/builtin-plugins/network-manager/edr/utils/'
const hardhatFile = (name: string) =>
  new URL(`../../../../node_modules/hardhat/${internals}${name}`, import.meta.url).href

interface HardhatLogger {
  ConsoleLogger: { getDecodedLogs(messages: Buffer[]): string[] }
}
interface HardhatSignatures {
  CONSOLE_LOG_SIGNATURES: Record<number, string[]>
}

function encode(types: readonly string[], values: readonly unknown[]): Uint8Array {
  const parameters = types.map((type) => ({ type }))
  const body = encodeAbiParameters(parameters, values as never)
  return hexToBytes(
    `${toFunctionSelector(`log(${types.join(',')})`)}${body.slice(2)}` as PrefixedHexString,
  )
}

function arbitraryOf(type: string): fc.Arbitrary<unknown> {
  const hex = (bytes: number) =>
    fc
      .uint8Array({ minLength: bytes, maxLength: bytes })
      .map((all) => `0x${Buffer.from(all).toString('hex')}`)
  if (type === 'uint256') return fc.bigInt({ min: 0n, max: 2n ** 256n - 1n })
  if (type === 'int256') return fc.bigInt({ min: -(2n ** 255n), max: 2n ** 255n - 1n })
  if (type === 'bool') return fc.boolean()
  if (type === 'address') return hex(20)
  if (type === 'string')
    return fc.oneof(fc.string(), fc.constantFrom('%s', '%d and %i', '%%d', '%o %j', 'a%%%db'))
  if (type === 'bytes') return fc.uint8Array().map((all) => `0x${Buffer.from(all).toString('hex')}`)
  return hex(Number(type.slice(5)))
}

describe('console.log', () => {
  it('knows the signatures that Hardhat knows, and those that its library calls', async () => {
    const theirs = (await import(hardhatFile('console-log-signatures.js'))) as HardhatSignatures
    const known = Object.entries(theirs.CONSOLE_LOG_SIGNATURES).map(([selector, types]) => {
      return [
        `0x${Number(selector).toString(16).padStart(8, '0')}`,
        types.map((type) => type.toLowerCase()),
      ]
    })
    expect(Object.fromEntries(consoleSignatures())).toEqual(Object.fromEntries(known))
    const calls = readFileSync(library, 'utf8').matchAll(/encodeWithSignature\("(log\([^"]*\))"/g)
    const used = [...calls].map(([, signature]) => toFunctionSelector(signature!))
    expect(used.length).toBeGreaterThan(300)
    for (const selector of used) expect(consoleSignatures().has(selector)).toBe(true)
  })

  it('writes arguments of all types as Hardhat does', async () => {
    const { ConsoleLogger } = (await import(hardhatFile('console-logger.js'))) as HardhatLogger
    const types = fc.constantFrom(
      ...[...consoleSignatures().values()].filter((each) => each.length > 0),
    )
    const calls = types.chain((each) =>
      fc.tuple(...each.map(arbitraryOf)).map((values) => encode(each, values)),
    )
    fc.assert(
      fc.property(calls, (call) => {
        const [theirs] = ConsoleLogger.getDecodedLogs([Buffer.from(call)])
        expect(consoleLine(call)).toBe(theirs)
      }),
      { numRuns: 1_000 },
    )
  })

  it('never throws, whatever a contract calls it with', () => {
    const selectors = fc.constantFrom(...consoleSignatures().keys())
    const calldata = fc
      .tuple(selectors, fc.uint8Array({ maxLength: 200 }))
      .map(([selector, rest]) => {
        return Buffer.concat([Buffer.from(selector.slice(2), 'hex'), rest])
      })
    fc.assert(
      fc.property(calldata, (call) => {
        expect(typeof consoleLine(call)).toBe('string')
      }),
    )
    expect(consoleLine(hexToBytes('0x12345678'))).toBeUndefined()
    expect(consoleLine(hexToBytes('0x12'))).toBeUndefined()
  })

  it('prints what contracts print, also before they fail', async () => {
    const call = Buffer.from(encode(['uint256'], [42n]))
    const program = contractAddress(1)
    const code = assembleHex([
      ...[BigInt(`0x${call.subarray(0, 32).toString('hex')}`), 0, 'MSTORE'],
      ...[BigInt(`0x${call.subarray(32).toString('hex').padEnd(64, '0')}`), 32, 'MSTORE'],
      ...[0, 0, call.length, 0, BigInt(CONSOLE_ADDRESS), 'GAS', 'STATICCALL', 0, 0, 'REVERT'],
    ] as never)
    const vm = await withAccounts({ [program]: { code } })
    const block = callBlock(firstBlock(vm.common), vm.common)
    const request = callRequest.parse({ from: sender.toString(), to: program })
    const message = toCallMessage(request, { gas: defaultGas, baseFeePerGas: 0n })
    const lines: string[] = []
    const { execResult } = await withConsole(
      vm,
      (line) => lines.push(line),
      () => applyMessage(vm, block, message),
    )
    expect(execResult.exceptionError?.error).toBe('revert')
    expect(lines).toEqual(['42'])
  })
})
