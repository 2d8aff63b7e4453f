// Draws a toy block that is being built: what has room in it, what its transactions ask for, and what
// comes of each where they are tried one after the other.
// Authority on the gas that a toy uses, which depends on what it observed, so that stale runs use another.

import { OUTCOME } from '../../../src/memory/layout.ts'
import { Random } from './random.ts'
import { drawProgram, type ToyProgram } from './toy-program.ts'
import { InvalidToyError, runToy } from './toy-transaction.ts'
import { PlainWorld } from './toy-world.ts'

/** Above 32 bits, so that both words of a number count. */
const HIGH_GAS = 2 ** 33

export interface ToyTerms {
  readonly gasLeft: number
  readonly blobsLeft: number
  readonly stopsAtInvalid: boolean
  readonly stopsWhenFull: boolean
  readonly gasLimits: readonly number[]
  readonly blobs: readonly number[]
}

/** The same toys as in the block of the seed, in a block that not all fit into. */
export async function drawPool(seed: number): Promise<ToyProgram> {
  const program = await drawProgram(seed)
  const random = new Random(seed ^ 0x3c6ef372)
  const terms = drawTerms(random, program.transactions.length)
  // Blocks that are being built bring no list.
  const pool = { ...program, list: undefined, terms }
  return { ...pool, expected: await expectedOf(pool, terms) }
}

/** At least one, and at most what it asks for. */
export function gasUsedBy(observed: readonly number[], gasLimit: number): number {
  return gasLimit - (observed.reduce((sum, value) => sum + value, 0) % Math.min(gasLimit, 97))
}

function drawTerms(random: Random, count: number): ToyTerms {
  const unit = random.oneIn(4) ? HIGH_GAS : 100
  const gasLimits = Array.from({ length: count }, () => unit + random.below(100))
  return {
    gasLeft: Math.floor((unit * count * (4 + random.below(8))) / 10),
    blobsLeft: random.below(4),
    stopsAtInvalid: random.oneIn(8),
    stopsWhenFull: random.oneIn(6),
    gasLimits,
    blobs: gasLimits.map(() => (random.oneIn(4) ? 1 + random.below(2) : 0)),
  }
}

async function expectedOf(
  program: ToyProgram,
  terms: ToyTerms,
): Promise<Required<ToyProgram['expected']>> {
  const world = new PlainWorld(program.base)
  const observed: number[][] = []
  const outcomes: number[] = []
  let stopsAt = -1
  let { gasLeft, blobsLeft } = terms
  for (const [index, toy] of program.transactions.entries()) {
    const gasLimit = terms.gasLimits[index]
    const isFull = gasLimit > gasLeft
    if (isFull || (terms.blobs[index] > 0 && terms.blobs[index] > blobsLeft)) {
      outcomes.push(OUTCOME.REFUSED)
      if (stopsAt < 0 && (terms.stopsAtInvalid || (isFull && terms.stopsWhenFull))) stopsAt = index
      continue
    }
    await world.checkpoint()
    try {
      observed[index] = await runToy(toy, world)
      outcomes.push(OUTCOME.RESULT)
      gasLeft -= gasUsedBy(observed[index], gasLimit)
      blobsLeft -= terms.blobs[index]
    } catch (error) {
      if (!(error instanceof InvalidToyError)) throw error
      await world.revert()
      outcomes.push(OUTCOME.ERROR)
      if (stopsAt < 0 && terms.stopsAtInvalid) stopsAt = index
    }
  }
  return { observed, committed: outcomes.length, outcomes, stopsAt }
}
