// Chains of hand-made blocks whose roots are worth being taken later: each can change hundreds of slots.
// Authority on what stock makes of such a chain: whole headers, results, and errors of blocks made wrong.
// It must not run anything of ours.
import { Block, createBlockHeader, type HeaderData } from '@ethereumjs/block'
import { equalsBytes, hexToBytes, KECCAK256_RLP } from '@ethereumjs/util'
import { createVM, runBlock, type VM } from '@ethereumjs/vm'

import type { ParallelRunBlockResult } from '../../src/index.ts'
import { createFlatState } from '../../src/state/create-flat-state.ts'
import { assembleHex, deployer } from './assembler.ts'
import {
  fillHeader,
  makeBlock,
  makeWorld,
  richActors,
  type TransactionPlan,
  type World,
} from './hand-made-block.ts'
import {
  type Actor,
  actors,
  contracts,
  ether,
  numberWord,
  systemContracts,
} from './random-world.ts'
import { loggingCounterCode, witnessCode } from './small-contracts.ts'
import type { AccountRecords } from './state-template.ts'

const { counter, reader, hot } = contracts
const wide = hot[0]!
/** Sets slots 1 to 250 to the first word of calldata. */
const wideCode = assembleHex(
  [250, { label: 'next' }, 0, 'CALLDATALOAD', 'DUP2', 'SSTORE', 1, 'SWAP1', 'SUB', 'DUP1'],
  [{ to: 'next' }, 'JUMPI', 'POP'],
)

const records: AccountRecords = {
  [counter.toString()]: { code: loggingCounterCode, nonce: 1n, storage: { '0x00': '0x05' } },
  [wide.toString()]: { code: wideCode, nonce: 1n, storage: { '0x01': '0x09' } },
  [reader.toString()]: { code: witnessCode, nonce: 1n },
  // The system writes to those that are there.
  [systemContracts.beaconRoots.toString()]: { code: '0x00', nonce: 1n },
  [systemContracts.blockHashes.toString()]: { code: '0x00', nonce: 1n },
}

/** Blocks are made by hand: their headers name parents that nobody has seen. */
export const unchecked = { skipHeaderValidation: true, skipBlockValidation: true }

/** What a block of a chain does; numbers choose. */
export interface LinkPlan {
  /** What 250 slots are set to; none: they stay, and the root is not worth being taken later. */
  readonly wide?: number | undefined
  readonly actions: readonly number[]
}

export interface Chain {
  readonly world: World
  /** With whole headers, each naming the one before as its parent. */
  readonly blocks: Block[]
  readonly results: Awaited<ReturnType<typeof runBlock>>[]
}

/** Blocks that stock has made, and what it said of them. */
export async function chainOf(hardfork: string, links: readonly LinkPlan[]): Promise<Chain> {
  const world = await makeWorld({ hardfork, accounts: records })
  const [maker, judge] = [await world.vm(), await world.vm()]
  const nonces = new Map<Actor, bigint>()
  const chain: Chain = { world, blocks: [], results: [] }
  for (const [i, link] of links.entries()) {
    const header = i === 0 ? {} : { parentHash: chain.blocks[i - 1]!.hash() }
    const plan = { number: 20n + BigInt(i), transactions: transactionsOf(link), header }
    const open = makeBlock(world.common, plan, nonces)
    const whole = await wholeBlock(maker, open)
    chain.blocks.push(whole)
    chain.results.push(await runBlock(judge, { block: whole, ...unchecked }))
  }
  return chain
}

/** A chain of blocks that all set 250 slots, to something else each. */
export function wideChain(hardfork: string, length: number): Promise<Chain> {
  const links = Array.from({ length }, (_, i) => ({ wide: i + 1, actions: [0, 1, 2, 3, 4] }))
  return chainOf(hardfork, links)
}

function transactionsOf({ wide: value, actions }: LinkPlan): TransactionPlan[] {
  const plans = actions.map((action, i): TransactionPlan => {
    const from = actors[(action + i) % 5]!
    const other = actors[(action * 7 + i) % 9]!.address
    if (action % 5 === 0) return { from, to: counter }
    if (action % 5 === 1) return { from, to: other, value: ether / 50n }
    if (action % 5 === 2) {
      const data = deployer(hexToBytes(loggingCounterCode), [7, 5, 'SSTORE'])
      return { from, data, value: BigInt(action) }
    }
    if (action % 5 === 3) return { from, to: reader, data: numberWord(action) }
    return { from, to: wide, data: numberWord(action), gasLimit: 30_000n }
  })
  if (value === undefined) return plans
  return [
    ...plans.slice(0, 2),
    { from: actors[5]!, to: wide, data: numberWord(value), gasLimit: 8_000_000n },
    ...plans.slice(2),
  ]
}

async function wholeBlock(vm: VM, block: Block): Promise<Block> {
  let whole = block
  const keep = (event: { block: Block }): void => {
    whole = event.block
  }
  vm.events.on('afterBlock', keep)
  await runBlock(vm, { block, ...fillHeader })
  vm.events.off('afterBlock', keep)
  return whole
}

/** The same block with another header. */
export function withHeader(block: Block, fields: HeaderData): Block {
  const options = { common: block.common, skipConsensusFormatValidation: true }
  const header = createBlockHeader({ ...block.header, ...fields } as HeaderData, options)
  return new Block(header, block.transactions, [], block.withdrawals, options)
}

export function withWrongRoot(block: Block): Block {
  return withHeader(block, { stateRoot: new Uint8Array(32).fill(7) })
}

/** A VM on a flat state that has the world of a chain, or what its store has. */
export async function flatVm(world: World, store?: { path: string }): Promise<VM> {
  const { common, blockchain } = await world.vm()
  const stateManager = await createFlatState({ common, ...(store === undefined ? {} : { store }) })
  if (equalsBytes(await stateManager.getStateRoot(), KECCAK256_RLP)) {
    const root = await stateManager.importAlloc({ ...richActors, ...records })
    if (!equalsBytes(root, world.template.root)) throw new Error('another world')
  }
  return createVM({ common, blockchain, stateManager })
}

export async function errorOf(run: Promise<unknown> | undefined): Promise<unknown> {
  try {
    await run
  } catch (error) {
    return error
  }
  return undefined
}

/** The error of a pipelined block, at once or later. */
export async function lateErrorOf(run: Promise<ParallelRunBlockResult>): Promise<unknown> {
  try {
    await (await run).stateRootReady
  } catch (error) {
    return error
  }
  return undefined
}
