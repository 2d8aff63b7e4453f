// The small hot world random blocks run in: a dozen keys, hand-made contracts, system contracts.
// Authority on who exists before a block and on the numbering of addresses in plans.
// It must stay small: conflicts come from everybody meeting at the same few places.
import { Mainnet } from '@ethereumjs/common'
import {
  Address,
  bytesToHex,
  createAddressFromString,
  generateAddress2,
  type PrefixedHexString,
  privateToAddress,
  privateToPublic,
  setLengthLeft,
} from '@ethereumjs/util'
import { keccak_256 } from '@noble/hashes/sha3.js'

import { assemble, assembleHex, bytesToMemory, deployer, type Instruction } from './assembler.ts'
import { loggingCounterCode } from './small-contracts.ts'
import type { AccountRecords } from './state-template.ts'

export interface Actor {
  readonly privateKey: Uint8Array
  readonly publicKey: Uint8Array
  readonly address: Address
}

export const ether = 10n ** 18n

function actor(index: number): Actor {
  const privateKey = keccak_256(new TextEncoder().encode(`actor ${index}`))
  return {
    privateKey,
    publicKey: privateToPublic(privateKey),
    address: new Address(privateToAddress(privateKey)),
  }
}

/**
 * 0 to 5 are rich; 6 can pay for little; 7 is absent until somebody pays it; 8 and 9 sign
 * delegations; 10 has contract code and must be refused as a sender.
 */
export const actors: readonly Actor[] = Array.from({ length: 11 }, (_, index) => actor(index))
export const richActors = 6
export const actorWithCode = 10

function named(name: string): Address {
  return new Address(keccak_256(new TextEncoder().encode(name)).slice(12))
}

const selector: Instruction[] = [0, 'CALLDATALOAD']

/** Counts calls in slot 0, or with calldata destroys itself in favour of the address given. */
export const childRuntime = assemble(
  ['CALLDATASIZE', { to: 'destroy' }, 'JUMPI'],
  [0, 'SLOAD', 1, 'ADD', 'DUP1', 0, 'SSTORE', 0, 'MSTORE', 32, 0, 'RETURN'],
  [{ label: 'destroy' }, ...selector, 'SELFDESTRUCT'],
)

export const childInit = deployer(childRuntime, [0x2a, 5, 'SSTORE'])

const factoryAddress = named('factory')

export const contracts = {
  hot: [0, 1, 2, 3].map((index) => named(`hot ${index}`)),
  counter: named('counter'),
  factory: factoryAddress,
  children: [0, 1].map(
    (salt) =>
      new Address(
        generateAddress2(factoryAddress.bytes, setLengthLeft(Uint8Array.of(salt), 32), childInit),
      ),
  ),
  reader: named('reader'),
  killable: named('killable'),
  proxy: named('proxy'),
  creator: named('creator'),
  refunder: named('refunder'),
  spender: named('spender'),
}

export const systemContracts = {
  beaconRoots: createAddressFromString('0x000f3df6d732807ef1319fb7b8bb8522d0beac02'),
  blockHashes: createAddressFromString('0x0000f90827f1c53a10cb7a02335b175320002935'),
  withdrawals: createAddressFromString('0x00000961ef480eb55e80d19ad83579a64c007002'),
  consolidations: createAddressFromString('0x0000bbddc7ce488642fb579f8b00f3a590007251'),
  deposits: createAddressFromString(Mainnet.depositContractAddress as string),
  builderDeposits: createAddressFromString('0x0000bff46984e3725691fa540a8c7589300d8282'),
  builderExits: createAddressFromString('0x000064d678505ad48f8ccb093bc65613800e8282'),
}

export const freshAddresses = [0, 1, 2].map((index) => named(`fresh ${index}`))

const precompiles = [1, 2, 3, 4, 5, 6, 9].map(
  (number) => new Address(setLengthLeft(Uint8Array.of(number), 20)),
)

/** Hot places first: shrinking a number then moves towards the most usual conflicts. */
const places: readonly Address[] = [
  contracts.counter,
  ...contracts.hot,
  ...actors.slice(0, 10).map(({ address }) => address),
  ...contracts.children,
  contracts.factory,
  contracts.reader,
  contracts.killable,
  contracts.proxy,
  contracts.creator,
  contracts.refunder,
  contracts.spender,
  ...freshAddresses,
  ...precompiles,
  ...Object.values(systemContracts),
  new Address(new Uint8Array(20)),
]

const coinbases: readonly Address[] = [
  named('a coinbase that is absent'),
  actors[0]!.address,
  actors[6]!.address,
  contracts.counter,
  contracts.hot[0]!,
  contracts.killable,
  contracts.children[0]!,
  precompiles[2]!,
  actors[8]!.address,
  new Address(new Uint8Array(20)),
]

export function coinbaseAt(index: number): Address {
  return coinbases[index % coinbases.length]!
}

/** The address a plan's number stands for; the coinbase is one of the places. */
export function addressAt(index: number, coinbase: Address): Address {
  const place = index % (places.length + 1)
  return place === places.length ? coinbase : places[place]!
}

/** Every address worth comparing when state roots differ. */
export function knownAddresses(coinbase: Address): PrefixedHexString[] {
  return [...places, coinbase].map((address) => address.toString() as PrefixedHexString)
}

/** Pre-state without the hot contracts' programs, which belong to a plan. */
export function worldRecords(): AccountRecords {
  const records: AccountRecords = {}
  actors.forEach(({ address }, index) => {
    if (index === 7) return
    const balance = index === 6 ? ether / 200n : index === 8 ? ether / 2n : ether * 10n
    records[address.toString()] = { balance, nonce: BigInt(index % 3) }
  })
  records[actors[actorWithCode]!.address.toString()] = { balance: ether, code: '0x00' }
  const put = (address: Address, code: PrefixedHexString, rest: AccountRecords[string] = {}) => {
    records[address.toString()] = { nonce: 1n, code, ...rest }
  }
  put(contracts.counter, loggingCounterCode, { storage: { '0x00': '0x07' }, balance: 3n })
  put(contracts.factory, factoryCode)
  put(contracts.children[0]!, bytesToHex(childRuntime), {
    storage: { '0x00': '0x05', '0x05': '0x2a', '0x07': '0x09' },
    balance: 11n,
  })
  put(contracts.reader, readerCode)
  put(contracts.killable, bytesToHex(childRuntime), {
    storage: { '0x00': '0x01', '0x01': '0x02' },
    balance: 1000n,
  })
  put(contracts.proxy, proxyCode, { balance: 500n })
  put(contracts.creator, creatorCode, { balance: 50n })
  put(contracts.refunder, refunderCode, {
    storage: { '0x00': '0x01', '0x01': '0x01', '0x02': '0x01', '0x03': '0x01' },
  })
  put(contracts.spender, spenderCode, { balance: 100000n })
  put(systemContracts.beaconRoots, slotReaderCode)
  put(systemContracts.blockHashes, slotReaderCode)
  put(systemContracts.withdrawals, requestQueueCode)
  put(systemContracts.consolidations, requestQueueCode)
  put(systemContracts.builderDeposits, requestQueueCode)
  put(systemContracts.builderExits, requestQueueCode)
  put(systemContracts.deposits, depositCode)
  return records
}

const factoryCode = assembleHex(
  bytesToMemory(childInit),
  [...selector, childInit.length, 0, 'CALLVALUE', 'CREATE2'],
  [0, 'MSTORE', 32, 0, 'RETURN'],
)

/** Looks at an account in every way there is, and calls it: what a destroyed account must answer. */
const readerCode = assembleHex(
  [...selector, 'EXTCODESIZE', 1, 'SSTORE', ...selector, 'BALANCE', 2, 'SSTORE'],
  [...selector, 'EXTCODESIZE', 0, 0, ...selector, 'EXTCODECOPY'],
  [...selector, 'EXTCODESIZE', 0, 'KECCAK256', 4, 'SSTORE'],
  [32, 0, 0, 0, 0, ...selector, 50000, 'CALL', 5, 'SSTORE', 0, 'MLOAD', 3, 'SSTORE'],
  [...selector, 'EXTCODEHASH', 6, 'SSTORE'],
)

/** Runs the code of the address in word 0 on its own storage, with the rest of the calldata. */
const proxyCode = assembleHex(
  [32, 'CALLDATASIZE', 'SUB', 32, 0, 'CALLDATACOPY'],
  [0, 0, 32, 'CALLDATASIZE', 'SUB', 0, ...selector, 'GAS', 'DELEGATECALL', 8, 'SSTORE'],
)

const creatorCode = assembleHex(bytesToMemory(childInit), [
  childInit.length,
  0,
  1,
  'CREATE',
  9,
  'SSTORE',
])

/** Flips a slot between one and zero: refunds, and refunds taken back. */
const refunderCode = assembleHex([
  ...selector,
  3,
  'AND',
  'SLOAD',
  'ISZERO',
  ...selector,
  3,
  'AND',
  'SSTORE',
])

const spenderCode = assembleHex([
  0,
  0,
  0,
  0,
  2,
  'ADDRESS',
  'BALANCE',
  'DIV',
  ...selector,
  30000,
  'CALL',
  0,
  'SSTORE',
])

const slotReaderCode = assembleHex([...selector, 'SLOAD', 0, 'MSTORE', 32, 0, 'RETURN'])

/** Like EIP-7002's: users add to a queue, and the system call takes it. */
const requestQueueCode = assembleHex(
  [`0x${'ff'.repeat(19)}fe`, 'CALLER', 'EQ', { to: 'system' }, 'JUMPI'],
  [0, 'SLOAD', 1, 'ADD', 0, 'SSTORE', 'CALLER', 1, 'SSTORE', 'STOP'],
  [{ label: 'system' }, 0, 'SLOAD', 'DUP1', 0, 'MSTORE', 1, 'SLOAD', 32, 'MSTORE', 0, 0, 'SSTORE'],
  ['ISZERO', { to: 'nothing' }, 'JUMPI', 64, 0, 'RETURN', { label: 'nothing' }, 'STOP'],
)

/** Emits a well-formed EIP-6110 deposit event with the caller in its public key. */
const depositCode = assembleHex(
  [160, 0, 'MSTORE', 256, 32, 'MSTORE', 320, 64, 'MSTORE', 384, 96, 'MSTORE', 512, 128, 'MSTORE'],
  [48, 160, 'MSTORE', 'CALLER', 192, 'MSTORE', 32, 256, 'MSTORE', 'CALLVALUE', 288, 'MSTORE'],
  [8, 320, 'MSTORE', 96, 384, 'MSTORE', 8, 512, 'MSTORE'],
  ['0x649bbc62d0e31342afea4e5cd82d4049e7e1ee912fc0889aa790803be39038c5', 576, 0, 'LOG1'],
)

export function addressWord(address: Address): Uint8Array {
  return setLengthLeft(address.bytes, 32)
}

export function numberWord(value: number): Uint8Array {
  const word = new Uint8Array(32)
  new DataView(word.buffer).setUint32(28, value)
  return word
}
