// Runs our network beside Hardhat's own and prints how much faster, or slower, ours is.
// The authority on sizes, on what is wanted of each, and on the form of what is printed.
// Must not leave a network open, however it ends.
import { writeFileSync } from 'node:fs'

import type { HardhatPlugin } from 'hardhat/types/plugins'

import { readMachine, readVersions } from '../machine.ts'
import { milliseconds, ratio } from '../wording.ts'
import { type Comparison, compareAutomine, compareBlocks } from './cases.ts'
import { openNetworks, type Side } from './networks.ts'
import { Senders } from './senders.ts'

export interface AgainstOptions {
  /** Transfers of a block; of ERC-20 transfers half as many, mined one by one five times as many. */
  readonly transactions: number
  readonly rounds: number
  readonly jsonFile: string | undefined
}

export interface AgainstReport {
  readonly machine: Awaited<ReturnType<typeof readMachine>>
  readonly versions: ReturnType<typeof readVersions>
  readonly options: Omit<AgainstOptions, 'jsonFile'>
  readonly comparisons: readonly Comparison[]
}

/** @throws Error if the two networks do not end alike */
export async function runAgainstHardhat(
  plugin: HardhatPlugin,
  { transactions, rounds, jsonFile }: AgainstOptions,
  print: (line: string) => void,
  signal: AbortSignal,
): Promise<AgainstReport> {
  const facts = { machine: await readMachine(), versions: readVersions() }
  const { cpu, cores, platform } = facts.machine
  print(`machine   ${cpu}, ${cores} cores, ${platform}, Node ${facts.versions.node}`)
  print(`against   Hardhat ${facts.versions.hardhat}'s own simulated network, in this process`)
  print(
    'method    the same signed transactions to both in turn, through Hardhat’s providers; medians',
  )
  print(`          of ${rounds} rounds after one that is discarded`)
  print('')
  const comparisons: Comparison[] = []
  const add = (comparison: Comparison): void => {
    comparisons.push(comparison)
    print(lineOf(comparison))
  }
  const senders = new Senders()
  const networks = await openNetworks(plugin, senders.privateKeys, senders.addresses)
  try {
    const tokens = Math.ceil(transactions / 2)
    const ofTransfers = { kind: 'transfer', transactions, rounds } as const
    const transfers = await compareBlocks(networks, senders, ofTransfers)
    add({ name: 'ingest of a transfer', unit: 'us', times: transfers.ingest, wanted: 2 })
    add({
      name: `block of ${transactions} transfers`,
      unit: 'ms',
      times: transfers.mining,
      wanted: 2,
    })
    signal.throwIfAborted()
    const ofTokens = { kind: 'erc20', transactions: tokens, rounds } as const
    const erc20 = await compareBlocks(networks, senders, ofTokens)
    add({ name: 'ingest of an ERC-20 transfer', unit: 'us', times: erc20.ingest, wanted: 2 })
    add({ name: `block of ${tokens} ERC-20 transfers`, unit: 'ms', times: erc20.mining, wanted: 1 })
    signal.throwIfAborted()
    const count = transactions * 5
    const { start, end } = await compareAutomine(networks, senders, count)
    add({ name: `automine, first of ${count}`, unit: 'us', times: start, wanted: undefined })
    add({ name: `automine, last of ${count}`, unit: 'us', times: end, wanted: undefined })
  } finally {
    for (const network of networks) await network.close()
  }
  const report = { ...facts, options: { transactions, rounds }, comparisons }
  if (jsonFile !== undefined) writeFileSync(jsonFile, `${JSON.stringify(report, undefined, 2)}\n`)
  return report
}

function lineOf({ name, unit, times, wanted }: Comparison): string {
  const shown = (side: Side): string => {
    const { wall, cpu } = times[side]
    return `${milliseconds(wall)} ${unit} (CPU ${milliseconds(cpu)})`.padStart(24)
  }
  const factor = times.hardhat.wall / times.parallel.wall
  const verdict = factor < 1 ? `${ratio(1 / factor)} slower` : `${ratio(factor)} faster`
  const bar =
    wanted === undefined ? '' : `  (wanted ${wanted}x: ${factor >= wanted ? 'yes' : 'NO'})`
  return `${name.padEnd(30)}hardhat ${shown('hardhat')}   ours ${shown('parallel')}   ${verdict}${bar}`
}
