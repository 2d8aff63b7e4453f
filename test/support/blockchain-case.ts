// Runs one case of the official blockchain tests through stock and through the implementation under
// test, block by block, each on a chain and a state of its own, and compares every outcome.
// Whether stock passes the case is reported, not required: ours must equal stock either way.
import { type Block, createBlockFromRLP } from '@ethereumjs/block'
import { bytesToHex, hexToBytes, type PrefixedHexString } from '@ethereumjs/util'
import { createVM, runBlock, type VM } from '@ethereumjs/vm'

import type { BlockReport, Implementation } from './implementation.ts'
import { compareOutcomes, compareStateRoots, type Outcome, outcomeOf } from './oracle.ts'
import { type AccountRecords, buildStateTemplate, type StateTemplate } from './state-template.ts'
import { TestChain } from './test-chain.ts'
import { commonOfNetwork } from './test-networks.ts'

export interface BlockchainCase {
  readonly network: string
  readonly genesisRLP: PrefixedHexString
  readonly pre: AccountRecords
  readonly lastblockhash: string
  readonly blocks: readonly {
    readonly rlp: PrefixedHexString
    readonly expectException?: string
    readonly blockHeader?: object
  }[]
}

export interface CaseReport {
  readonly passedByStock: boolean
  /** Why stock fails the case, if it does. */
  readonly stockFailure?: string
  readonly differences: string[]
  readonly reports: BlockReport[]
  readonly blocksRun: number
  readonly blocksRefused: number
  readonly stockMilliseconds: number
}

interface Side {
  readonly vm: VM
  readonly chain: TestChain
  readonly run: Implementation['runBlock']
}

export async function runBlockchainCase(
  test: BlockchainCase,
  implementation: Implementation,
): Promise<CaseReport> {
  const template = await buildStateTemplate(commonOfNetwork(test.network), test.pre)
  const stock = await makeSide(test, template, runBlock)
  const ours = await makeSide(test, template, implementation.runBlock)
  const progress = { blocksRun: 0, blocksRefused: 0, stockMilliseconds: 0 }
  const reports: BlockReport[] = []
  const failures: string[] = []
  const differences: string[] = []
  if (bytesToHex(template.root) !== bytesToHex(stock.chain.head.header.stateRoot)) {
    failures.push('the pre-state does not have the genesis state root')
  }
  for (const [index, { rlp, expectException, blockHeader }] of test.blocks.entries()) {
    const mustFail = expectException !== undefined || blockHeader === undefined
    const started = performance.now()
    const stockOutcome = await importBlock(stock, rlp)
    progress.stockMilliseconds += performance.now() - started
    const ourOutcome = await importBlock(ours, rlp)
    if (stockOutcome.ran) progress.blocksRun++
    if (stockOutcome.kind === 'error') progress.blocksRefused++
    if ((stockOutcome.kind === 'error') !== mustFail) {
      failures.push(
        stockOutcome.kind === 'error'
          ? `block ${index}: ${String(stockOutcome.error)}`
          : `block ${index}: expected ${expectException ?? 'a refusal'}`,
      )
    }
    const found = compareOutcomes(stockOutcome, ourOutcome)
    if (found.length > 0) {
      differences.push(`block ${index}, ${implementation.lastScheduler}:`, ...found)
      break
    }
    if (ourOutcome.kind === 'result') {
      const { parallel } = ourOutcome.result as Awaited<ReturnType<Implementation['runBlock']>>
      if (parallel !== undefined) reports.push(parallel)
    }
  }
  differences.push(...(await compareStateRoots(stock.vm, ours.vm)))
  const head = bytesToHex(stock.chain.head.hash())
  if (head.slice(2) !== test.lastblockhash.replace(/^0x/, '')) failures.push(`head is ${head}`)
  return {
    ...progress,
    passedByStock: failures.length === 0,
    ...(failures[0] === undefined ? {} : { stockFailure: failures[0] }),
    differences,
    reports,
  }
}

async function makeSide(
  test: BlockchainCase,
  template: StateTemplate,
  run: Implementation['runBlock'],
): Promise<Side> {
  const common = commonOfNetwork(test.network)
  const genesis = createBlockFromRLP(hexToBytes(test.genesisRLP), { common, setHardfork: true })
  const chain = new TestChain(genesis)
  const vm = await createVM({
    common,
    stateManager: template.copy(common),
    blockchain: chain,
    setHardfork: true,
  })
  return { vm, chain, run }
}

/** Decode, check against the chain, run on the parent's state, append. */
async function importBlock(
  { vm, chain, run }: Side,
  rlp: PrefixedHexString,
): Promise<Outcome & { ran: boolean }> {
  let block: Block
  let root: Uint8Array
  try {
    block = createBlockFromRLP(hexToBytes(rlp), { common: vm.common, setHardfork: true })
    await chain.validateBlock(block)
    const parent = chain.parentOf(block)!
    root = parent.header.stateRoot
    chain.runOn(parent)
  } catch (error) {
    return { kind: 'error', error, ran: false }
  }
  const outcome = await outcomeOf(() => run(vm, { block, root, setHardfork: true }))
  if (outcome.kind === 'result') chain.append(block)
  return { ...outcome, ran: true }
}
