// Calls of contracts that are made to succeed and to fail in all ways, by name.
// Authority on what is tried beside Hardhat's network.
// Must not depend on a network: addresses are given.
import type { Compiled } from '../tracing/failing-contracts.ts'

export type Call = Readonly<Record<string, unknown>>

/** Hardhat's first account. */
export const from = '0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266'
export const stranger = `0x${'77'.repeat(20)}`

export const deployed = ['Failing', 'Fallback', 'Functions', 'More'] as const
export type Addresses = Readonly<Record<(typeof deployed)[number], string>>

const word = (value: number | bigint) => value.toString(16).padStart(64, '0')
const hex = (value: number | bigint) => `0x${value.toString(16)}`

const plainFailures = [
  ...['reason', 'custom', 'nested', 'plain', 'none', 'requireFalse', 'assertFalse', 'popEmpty'],
  ...['nonContract', 'nonContractGet', 'wrongReturn', 'innerBad', 'innerBoom', 'innerNone'],
  ...['innerCaught', 'invalid', 'unknownData', 'get', 'notPayable'],
]
const moreCalls = [
  ...['badText', 'callNothing', 'unknownPanic', 'burnCaught', 'needsGas', 'balanceOfThis', 'fee'],
  ...['emptyReason', 'longReason', 'memoryHole', 'hugeMemory', 'staticWrite'],
]

/** What contracts do with what they are given. */
export function contractCalls(compiled: Compiled, at: Addresses): Record<string, Call> {
  const calls: Record<string, Call> = {}
  const add = (to: string, signature: string, words = '', rest: Call = {}) => {
    calls[`${signature} ${Object.values(rest).join(' ')}`.trim()] = {
      to,
      data: compiled.selector(signature) + words,
      ...rest,
    }
  }
  for (const name of plainFailures) add(at.Failing, `${name}()`)
  for (const name of ['sendTo', 'transferTo']) add(at.Failing, `${name}()`, '', { value: '0x1' })
  for (const name of ['overflow', 'divide', 'index']) add(at.Failing, `${name}(uint256)`, word(0))
  add(at.Failing, 'overflow(uint256)', '11'.repeat(32), { value: '0x0' })
  add(at.Failing, 'text(string)', 'ff'.repeat(32))
  add(at.Failing, 'notPayable()', '', { value: '0x7' })
  add(at.Failing, 'loop()', '', { gas: hex(100_000) })
  add(at.Failing, 'innerBurn()', '', { gas: hex(100_000) })
  for (const name of moreCalls) add(at.More, `${name}()`)
  add(at.More, 'fee()', '', { gasPrice: hex(10n ** 10n) })
  add(at.More, 'choose(uint256)', word(7))
  add(at.More, 'allocate(uint256)', word(2n ** 70n))
  add(at.More, 'write(uint256)', word(5))
  add(at.More, 'write(uint256)', word(99), { gas: hex(23_040) })
  add(at.More, 'clear(uint256)', word(5))
  add(at.More, 'passGas(uint256)', word(3))
  add(at.More, 'deploy(bytes32)', word(1))
  add(at.More, 'destroy()')
  return {
    ...calls,
    'an unknown function': { to: at.Failing, data: '0x12345678' },
    'no data': { to: at.Failing },
    'no data, with value': { to: at.Failing, value: '0x5' },
    'value for receive': { to: at.More, value: '0x5' },
    'a fallback that fails': { to: at.Fallback, data: '0x1234' },
    'a library': { to: at.Functions, data: '0x12345678' },
    'a payment': { to: stranger, value: '0x5' },
    'a declared slot': {
      to: at.Failing,
      data: compiled.selector('notPayable()'),
      accessList: [{ address: at.Failing, storageKeys: [`0x${word(0)}`] }],
    },
  }
}

export function creations(compiled: Compiled): Record<string, Call> {
  const create = (name: string, rest: Call = {}) => ({
    data: compiled.bytecode(name),
    gas: hex(16_000_000),
    ...rest,
  })
  const withArgument = compiled.bytecode('NeedsArgument') + word(0)
  return {
    'a creation': create('Failing'),
    'a creation of too much code': create('TooLarge'),
    'a creation that reverts': create('BadConstructor'),
    'a creation without its argument': create('NeedsArgument'),
    'a creation with value': { data: withArgument, value: '0x1', gas: hex(100_000) },
    'a creation with too little gas for its code': create('Failing', { gas: hex(600_000) }),
  }
}

/** What is refused, or would be if it were sent. */
export function refusedCalls(compiled: Compiled, at: Addresses): Record<string, Call> {
  const data = compiled.selector('notPayable()')
  return {
    'too little gas': { to: at.Failing, gas: hex(20_999) },
    'more gas than any transaction may have': { to: at.Failing, data, gas: hex(16_777_217) },
    'more gas than a block has': { to: at.Failing, data, gas: hex(60_000_001) },
    'more value than there is': { to: stranger, value: hex(10n ** 24n), gas: hex(21_000) },
    'a gas price below the base fee': { to: stranger, gasPrice: '0x1', gas: hex(21_000) },
    'a fee below the base fee': {
      ...{ to: stranger, gas: hex(21_000) },
      ...{ maxFeePerGas: '0x1', maxPriorityFeePerGas: '0x1' },
    },
    'two kinds of fee': { to: stranger, maxFeePerGas: '0x1', gasPrice: '0x1', gas: hex(21_000) },
    'a tip above the fee': {
      ...{ to: stranger, gas: hex(21_000) },
      ...{ maxFeePerGas: '0x1', maxPriorityFeePerGas: '0x2' },
    },
    'a nonce that was used': { to: stranger, nonce: '0x0', gas: hex(21_000) },
    'a nonce too high': { to: stranger, nonce: '0x999', gas: hex(21_000) },
    'a creation of nothing': { value: '0x1', gas: hex(100_000) },
    'another chain': { to: stranger, chainId: '0x5', gas: hex(21_000) },
    'an account that nobody has': { from: stranger, to: at.Failing, data, gas: hex(50_000) },
    'more than a price that can be paid': {
      ...{ to: at.Failing, data, gas: hex(16_000_000) },
      gasPrice: hex(10n ** 15n),
    },
  }
}
