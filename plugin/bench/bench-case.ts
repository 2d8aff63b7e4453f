// One block ready to be measured: its bytes, the state before it, and what stock makes of it.
// The authority on how a block gets a header that both sides can be validated against.
// Must not hand out decoded transactions: they remember their senders, which would spare recovery.
import { type Block, createBlockFromRLP } from '@ethereumjs/block'
import type { Common } from '@ethereumjs/common'
import { runBlock, type VM } from '@ethereumjs/vm'

import { type BlockOutcome, outcomeOf } from './block-outcome.ts'
import type { StateName } from './contender.ts'
import type { StateImage } from './state-image.ts'
import type { WorkloadName } from './workloads/names.ts'

export interface BenchCase {
  readonly workload: WorkloadName
  /** The row's label in the table. */
  readonly name: string
  readonly transactions: number
  readonly gasUsed: bigint
  /** Whether the VMs carry a KZG backend, which executors then need in their workers too. */
  readonly needsKzg: boolean
  /** What stock ethereumjs makes of the block; every measured run must make the same of it. */
  readonly expected: BlockOutcome
  /** What readers call contracts of the block, by address in lower case. */
  readonly contractNames: ReadonlyMap<string, string>
  /** A cold VM at the state before the block. */
  freshVm(state?: StateName): Promise<VM>
  /** The block decoded again, so that no sender and no hash is known yet. */
  freshBlock(common: Common): Block
}

export interface CaseDescription {
  readonly workload: WorkloadName
  readonly name: string
  readonly needsKzg: boolean
  readonly image: StateImage
  /** Default: none has a name. */
  readonly contractNames?: ReadonlyMap<string, string>
  /** The block to run; header fields that follow from execution need not be right. */
  createBlock(common: Common): Block
}

/**
 * Runs the block once on stock ethereumjs and completes its header with the results. Measured runs
 * then are ordinary imports of a valid block: no generation on either side, roots, bloom and gas
 * compared with the header by the executor itself, and by us once more.
 */
export async function prepareCase(description: CaseDescription): Promise<BenchCase> {
  const { workload, name, needsKzg, image } = description
  const vm = await image.freshVm()
  let completed: Block | undefined
  vm.events.on('afterBlock', (event) => {
    completed = event.block
  })
  const block = description.createBlock(vm.common)
  const result = await runBlock(vm, { block, generate: true, skipBlockValidation: true })
  if (completed === undefined) throw new Error(`stock runBlock did not report the block of ${name}`)
  const bytes = completed.serialize()
  return {
    workload,
    name,
    needsKzg,
    transactions: block.transactions.length,
    gasUsed: result.gasUsed,
    contractNames: description.contractNames ?? new Map(),
    expected: outcomeOf(result, block.transactions),
    freshVm: (state) => image.freshVm(state),
    freshBlock: (common) => createBlockFromRLP(bytes, { common }),
  }
}
