// Times a chain of blocks whose roots are taken while the next ones run: `node test/bench/pipeline.ts [blocks]`.
// The authority on the figures quoted for `pipeline`. Must not be run as a test: on a shared machine, a time
// limit fails for reasons of its own.
import { type Block, createBlock } from '@ethereumjs/block'
import { createCustomCommon, Mainnet } from '@ethereumjs/common'
import { createLegacyTx } from '@ethereumjs/tx'
import { bytesToHex } from '@ethereumjs/util'
import { createVM, type VM } from '@ethereumjs/vm'

import { createAccounts } from '../../plugin/bench/accounts.ts'
import { median } from '../../plugin/bench/statistics.ts'
import { createFlatState, createParallelExecutor, type ParallelExecutor } from '../../src/index.ts'
import { assembleHex } from '../support/assembler.ts'
import { numberWord, systemContracts } from '../support/random-world.ts'

const BLOCKS = Number(process.argv[2] ?? 12)
const ROUNDS = 6
const TRANSACTIONS = 100
const SLOTS = 10
const ETHER = 10n ** 18n

const accounts = createAccounts(1)
for (const _ of accounts.derive(TRANSACTIONS)) {
  // Keys are derived one by one.
}
const target = '0x00000000000000000000000000000000000000aa'
/** Sets slots from the first word of calldata on to the number of the block. */
const code = assembleHex(
  ...Array.from(
    { length: SLOTS },
    (_, i) => ['NUMBER', 0, 'CALLDATALOAD', i, 'ADD', 'SSTORE'] as const,
  ),
)

await using executor = await createParallelExecutor({ workers: 2, scheduler: 'optimistic' })
for (const hardfork of ['london', 'prague']) {
  const rules = createCustomCommon({ chainId: 7, name: 'bench' }, Mainnet, { hardfork })
  const vmOf = async (): Promise<VM> => {
    const stateManager = await createFlatState({ common: rules.copy() })
    await stateManager.importAlloc([
      ...Array.from(
        { length: TRANSACTIONS },
        (_, i) => [accounts.sender(i).address, { balance: ETHER }] as const,
      ),
      [target, { code, nonce: 1n }] as const,
      ...[systemContracts.beaconRoots, systemContracts.blockHashes].map(
        (it) => [it.toString(), { code: '0x00', nonce: 1n }] as const,
      ),
    ])
    return createVM({ common: rules.copy(), stateManager })
  }
  const blocks = await blocksOf(executor, await vmOf())
  const [now, later]: number[][] = [[], []]
  const ends: [number[], number[]] = [[], []]
  for (let round = 0; round <= 2 * ROUNDS; round++) {
    const pipeline = round % 2 === 1
    const time = await runChain(executor, await vmOf(), blocks, pipeline, ends[pipeline ? 1 : 0])
    // The first one warms up.
    if (round > 0) (pipeline ? later : now).push(time)
  }
  const [before, after] = [median(now), median(later)]
  const [end, earlyEnd] = ends.map(median)
  console.log(
    `${hardfork}: a block of ${TRANSACTIONS} transactions that set ${SLOTS} slots each, in a chain of ${BLOCKS}: ` +
      `${before.toFixed(1)} ms, with pipeline ${after.toFixed(1)} ms (${(before / after).toFixed(2)}x); from the ` +
      `last transaction to the result ${end!.toFixed(1)} ms and ${earlyEnd!.toFixed(1)} ms`,
  )
}

/** ms a block, from the first to the last root. */
async function runChain(
  on: ParallelExecutor,
  vm: VM,
  blocks: readonly Block[],
  pipeline: boolean,
  ends: number[],
): Promise<number> {
  const start = performance.now()
  let last: Uint8Array | undefined
  for (const block of blocks) {
    const { stateRoot, stateRootReady, parallel } = await on.runBlock(vm, {
      block,
      pipeline,
      skipHeaderValidation: true,
    })
    last = stateRoot
    ends.push(parallel.phases.finish)
    if (block === blocks.at(-1)) await stateRootReady
  }
  const time = (performance.now() - start) / blocks.length
  if (bytesToHex(await vm.stateManager.getStateRoot()) !== bytesToHex(last!)) {
    throw new Error('another root')
  }
  return time
}

/** Blocks with whole headers. */
async function blocksOf(on: ParallelExecutor, vm: VM): Promise<Block[]> {
  const blocks: Block[] = []
  const keep = ({ block }: { block: Block }): void => {
    blocks.push(block)
  }
  vm.events.on('afterBlock', keep)
  for (let i = 0; i < BLOCKS; i++) {
    await on.runBlock(vm, { block: openBlock(vm, i), generate: true, skipBlockValidation: true })
  }
  vm.events.off('afterBlock', keep)
  return blocks
}

function openBlock(vm: VM, index: number): Block {
  const transactions = Array.from({ length: TRANSACTIONS }, (_, at) => {
    // A tenth of the slots are new in each block.
    const data = numberWord(at * 1_000 + index)
    const fields = { nonce: index, gasLimit: 300_000n, gasPrice: 10n, to: target, data } as const
    return createLegacyTx(fields, { common: vm.common }).sign(accounts.sender(at).privateKey)
  })
  const isCancun = vm.common.isActivatedEIP(4788)
  const header = {
    number: BigInt(index + 1),
    timestamp: 1_750_000_000n + BigInt(index),
    gasLimit: 60_000_000n,
    baseFeePerGas: 7n,
    ...(isCancun
      ? { excessBlobGas: 0n, blobGasUsed: 0n, parentBeaconBlockRoot: numberWord(1) }
      : {}),
  }
  return createBlock(
    { header, transactions, ...(isCancun ? { withdrawals: [] } : {}) },
    { common: vm.common, skipConsensusFormatValidation: true },
  )
}
