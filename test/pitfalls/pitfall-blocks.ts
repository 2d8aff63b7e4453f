// The stage of the blocks in this folder: contracts that wait, look, are destroyed and come back.
// Authority on how a block is repeated with other interleavings: the same calls, each delayed differently.
// It must not weaken the comparison: every repetition goes through the oracle, whole.
import { Address, concatBytes, generateAddress2 } from '@ethereumjs/util'
import { keccak_256 } from '@noble/hashes/sha3.js'
import { expect } from 'vitest'
import {
  assemble,
  assembleHex,
  bytesToMemory,
  deployer,
  type Instruction,
} from '../support/assembler.ts'
import {
  type BlockPlan,
  expectEqualInParallel,
  makeBlock,
  runBoth,
  sidesOf,
  type TransactionPlan,
} from '../support/hand-made-block.ts'
import { type Actor, addressWord, numberWord } from '../support/random-world.ts'
import type { AccountRecords } from '../support/state-template.ts'
import type { Suite } from '../support/strict-suite.ts'
import { createRandom } from './round-random.ts'

export function named(name: string): Address {
  return new Address(keccak_256(new TextEncoder().encode(`pitfall ${name}`)).slice(12))
}

/** As many turns of a small loop as the word of calldata at `offset` says. */
export function delay(offset: number, label: string): Instruction[] {
  return [
    ...([offset, 'CALLDATALOAD', 1, 'ADD', { label }, 1, 'SWAP1', 'SUB', 'DUP1'] as const),
    ...([{ to: label }, 'JUMPI', 'POP'] as const),
  ]
}

/** Logs one word for each expression. */
export function logWords(...expressions: readonly (readonly Instruction[])[]): Instruction[] {
  return [
    ...expressions.flatMap((one, index): Instruction[] => [...one, index * 32, 'MSTORE']),
    ...[expressions.length * 32, 0, 'LOG0' as const],
  ]
}

const target: Instruction[] = [0, 'CALLDATALOAD']

/** Waits, calls the address in word 0 with what follows word 1, and logs success and answer. */
const relayCode = assembleHex(
  delay(32, 'wait'),
  [64, 'CALLDATASIZE', 'SUB', 64, 0, 'CALLDATACOPY'],
  [32, 0, 64, 'CALLDATASIZE', 'SUB', 0, 'CALLVALUE', ...target, 'GAS', 'CALL', 32, 'MSTORE'],
  [64, 0, 'LOG0'],
)

const copyCode: Instruction[] = [...target, 'EXTCODESIZE', 0, 320, ...target, 'EXTCODECOPY']
const look = [
  [...target, 'BALANCE'],
  [...target, 'EXTCODESIZE'],
  [...target, 'EXTCODEHASH'],
  [...copyCode, ...target, 'EXTCODESIZE', 320, 'KECCAK256'],
] as const satisfies readonly (readonly Instruction[])[]

/** Logs all that can be seen of the address in word 0. */
const onlookerCode = assembleHex(logWords(...look))
/** Calls it as well: a contract answers, a missing one accepts. */
const visitorCode = assembleHex(
  logWords(...look, [32, 160, 0, 0, 0, ...target, 50_000, 'CALL', 192, 'MSTORE', 160, 'MLOAD']),
  [192, 'MLOAD', 0, 'MSTORE', 32, 0, 'LOG0'],
)

/** By calldata: nothing accepts value, one word reads a slot, two write it, three destroy. */
export const phoenixRuntime = assemble(
  ['CALLDATASIZE', 32, 'EQ', { to: 'read' }, 'JUMPI'],
  ['CALLDATASIZE', 64, 'EQ', { to: 'write' }, 'JUMPI'],
  ['CALLDATASIZE', 96, 'EQ', { to: 'destroy' }, 'JUMPI', 'STOP'],
  [{ label: 'read' }, ...target, 'SLOAD', 0, 'MSTORE', 32, 0, 'RETURN'],
  [{ label: 'write' }, 32, 'CALLDATALOAD', ...target, 'SSTORE', 'STOP'],
  [{ label: 'destroy' }, 64, 'CALLDATALOAD', 'SELFDESTRUCT'],
)
/** Writes slot 5 on its creation. */
export const phoenixInit = deployer(phoenixRuntime, [42, 5, 'SSTORE'])

export const relay = named('relay')
export const onlooker = named('onlooker')
export const visitor = named('visitor')
export const factory = named('factory')
export const cells = named('cells')
export const phoenix = new Address(generateAddress2(factory.bytes, numberWord(0), phoenixInit))
export const phoenixRecord: AccountRecords[string] = {
  nonce: 1n,
  code: assembleHex([phoenixRuntime]),
  balance: 11n,
  storage: { '0x00': '0x05', '0x05': '0x2a', '0x07': '0x09' },
}

export const stage: AccountRecords = {
  [relay.toString()]: { nonce: 1n, code: relayCode },
  [onlooker.toString()]: { nonce: 1n, code: onlookerCode },
  [visitor.toString()]: { nonce: 1n, code: visitorCode },
  [cells.toString()]: {
    nonce: 1n,
    code: assembleHex([phoenixRuntime]),
    storage: { '0x01': '0x07' },
  },
  [factory.toString()]: {
    nonce: 1n,
    code: assembleHex(bytesToMemory(phoenixInit), [
      ...[0, phoenixInit.length, 0, 'CALLVALUE', 'CREATE2', 0, 'MSTORE', 32, 0, 'RETURN'],
    ] as Instruction[]),
  },
}

/** Calldata for contracts with the phoenix' runtime. */
export const readSlot = (slot: number): Uint8Array => numberWord(slot)
export const writeSlot = (slot: number, value: number): Uint8Array =>
  concatBytes(numberWord(slot), numberWord(value))
export const destroyFor = (heir: Address): Uint8Array =>
  concatBytes(numberWord(0), numberWord(0), addressWord(heir))

export type Turns = (most?: number) => number

/** A call that comes late by `turns`. */
export function relayed(
  from: Actor,
  to: Address,
  turns: number,
  data: Uint8Array = new Uint8Array(0),
  rest: Partial<TransactionPlan> = {},
): TransactionPlan {
  const calldata = concatBytes(addressWord(to), numberWord(turns), data)
  return { from, to: relay, data: calldata, ...rest }
}

export function lookAt(from: Actor, address: Address, turns = 0): TransactionPlan {
  return relayed(from, onlooker, turns, addressWord(address))
}

export function visit(from: Actor, address: Address, turns = 0): TransactionPlan {
  return relayed(from, visitor, turns, addressWord(address))
}

type PlanOf = (turns: Turns, round: number) => BlockPlan
export const rounds = 10

/** Draws delays: half of the calls come at once, the others late. */
export function turnsOf(round: number): Turns {
  const random = createRandom(round + 1)
  return (most = 1500) => (random() < 0.5 ? 0 : Math.floor(random() * most))
}

/** The block equals stock's whatever the delays. Returns the last round. */
export async function expectEqualEveryTime(
  { executor, world }: Suite,
  planOf: PlanOf,
  times = rounds,
): Promise<Awaited<ReturnType<typeof expectEqualInParallel>>> {
  let last: Awaited<ReturnType<typeof expectEqualInParallel>> | undefined
  for (let round = 0; round < times; round++) {
    last = await expectEqualInParallel(executor, world, planOf(turnsOf(round), round))
  }
  if (last === undefined) throw new Error('no round')
  return last
}

/** Both sides refuse the block with one message, which says what it is expected to say. */
export async function expectRefusedEveryTime(
  { executor, world }: Suite,
  planOf: PlanOf,
  message: RegExp,
  times = rounds,
): Promise<void> {
  for (let round = 0; round < times; round++) {
    const block = makeBlock(world.common, planOf(turnsOf(round), round))
    const run = await runBoth(executor, await sidesOf(world), block)
    expect(run.differences).toEqual([])
    expect(run.result).toBeUndefined()
    expect(String(run.error)).toMatch(message)
    expect((run.error as Error).name).not.toBe('ParallelError')
  }
}

/** The words of a log's data. */
export function logged(
  run: {
    result: { receipts: readonly { logs: readonly [Uint8Array, Uint8Array[], Uint8Array][] }[] }
  },
  transaction: number,
  log = 0,
): bigint[] {
  const data = run.result.receipts[transaction]!.logs[log]![2]
  return Array.from({ length: data.length / 32 }, (_, index) =>
    BigInt(`0x${Buffer.from(data.subarray(index * 32, index * 32 + 32)).toString('hex')}`),
  )
}
