// From predicted accesses to a plan: who waits for whom, what goes first, and what the graph promises.
// Authority on how the options bound the graph. Pure; it neither predicts nor publishes.

import type { AccessRows } from '../access/access-lists.ts'
import {
  type DependencyLists,
  DependencyListsBuilder,
  levelsOf,
  remainingWeights,
} from '../graph/dependency-lists.ts'
import { deriveDependencies } from '../graph/derive-dependencies.ts'
import { NO_LEVEL, type Plan } from '../scheduling/planned-order.ts'

/**
 * A chain is started first if it is longer than this share of what each worker has to do in all. Shorter
 * ones end in time anyway, and block order keeps what is read close to what is final.
 */
const CRITICAL_SHARE = 0.5

export interface GraphOptions {
  readonly workers: number
  /** Levels under way at most; Infinity = any number. */
  readonly maxParallelLevel: number
  /** Beyond so many levels nothing is held back any more: validation alone decides there. */
  readonly maxLevelDepth: number
}

/** What the plan foresees, for the report and for the choice of how to run. */
export interface Outlook {
  /** Longest predicted chain, in transactions. */
  readonly levels: number
  /** Gas limits of the heaviest predicted chain. */
  readonly criticalGas: number
  /** Gas limits of all transactions. */
  readonly totalGas: number
}

/** The plan by the predicted accesses of transactions with these gas limits. */
export function planGraph(
  rows: AccessRows,
  gas: Float64Array,
  { workers, maxParallelLevel, maxLevelDepth }: GraphOptions,
): { plan: Plan; outlook: Outlook } {
  // A plan is advice: what it leaves out is left to validation.
  const whole = deriveDependencies(rows, 'reads-from', true)
  const { levels, levelCount } = levelsOf(whole)
  const { remaining } = remainingWeights(whole, gas)
  const outlook = {
    levels: levelCount,
    criticalGas: greatest(remaining),
    totalGas: sum(gas),
  }
  const isCut = levelCount > maxLevelDepth
  const lists = isCut ? cutAt(whole, levels, maxLevelDepth) : whole
  const held = isCut ? levels.map((level) => (level < maxLevelDepth ? level : NO_LEVEL)) : levels
  const isBounded = maxParallelLevel < Math.min(levelCount, maxLevelDepth)
  return {
    plan: {
      starts: lists.starts,
      targets: lists.targets,
      ...(isBounded ? { window: { size: maxParallelLevel, levels: held } } : {}),
      priority: criticalFirst(remaining, (outlook.totalGas / workers) * CRITICAL_SHARE),
    },
    outlook,
  }
}

/** The plan where everybody starts from the values of the block's access list: nobody waits. */
export function planWithoutWaits(gas: Float64Array): { plan: Plan; outlook: Outlook } {
  return {
    plan: { starts: new Int32Array(gas.length + 1), targets: new Int32Array(0) },
    outlook: { levels: 1, criticalGas: greatest(gas), totalGas: sum(gas) },
  }
}

/** The lists without those of transactions whose level is `depth` or more. */
function cutAt(
  { count, starts, targets }: DependencyLists,
  levels: Int32Array,
  depth: number,
): DependencyLists {
  const builder = new DependencyListsBuilder(count)
  for (let index = 0; index < count; index++) {
    if (levels[index] < depth) {
      for (let edge = starts[index]; edge < starts[index + 1]; edge++) builder.add(targets[edge])
    }
    builder.endTransaction()
  }
  return builder.finish()
}

/** Transactions from which a chain heavier than `threshold` leads on, the heaviest first. */
function criticalFirst(remaining: Float64Array, threshold: number): number[] {
  const critical: number[] = []
  for (let index = 0; index < remaining.length; index++) {
    if (remaining[index] > threshold) critical.push(index)
  }
  // Equal ones stay in block order, which is the order of a chain.
  return critical.sort((a, b) => remaining[b] - remaining[a])
}

function greatest(weights: Float64Array): number {
  return weights.reduce((most, weight) => Math.max(most, weight), 0)
}

function sum(weights: Float64Array): number {
  return weights.reduce((total, weight) => total + weight, 0)
}
