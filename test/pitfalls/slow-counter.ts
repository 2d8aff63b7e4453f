// A counter that every transaction of a block calls, each of them slowly, so that all are overtaken.
// Authority on the calls' form: a word of calldata says how many turns of a loop one takes.
// It must not draw the turns itself: pitfall-blocks.ts does, from a seed.
import type { BlockPlan } from '../support/hand-made-block.ts'
import { actors, numberWord } from '../support/random-world.ts'
import { contractOf } from '../support/small-contracts.ts'
import { delay, named, stage, type Turns } from './pitfall-blocks.ts'

export const slowCounter = named('counter')

/** The stage of the pitfalls' blocks, and the counter: it waits between reading and writing. */
export const slowStage = {
  ...stage,
  [slowCounter.toString()]: contractOf([
    [0, 'SLOAD'],
    delay(0, 'think'),
    [1, 'ADD', 'DUP1', 0, 'SSTORE', 0, 'MSTORE', 32, 0, 'LOG0'],
  ]),
}

/** As many calls, each of which depends on the one before. */
export function chain(length: number, turns: Turns, senders = 4): BlockPlan {
  return {
    transactions: Array.from({ length }, (_, index) => ({
      from: actors[index % senders]!,
      to: slowCounter,
      data: numberWord(turns()),
    })),
  }
}
