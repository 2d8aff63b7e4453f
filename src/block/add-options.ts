// The options of a builder's `addTransactions`: what they mean, their defaults, and their checks.
// Authority on both. Must not read anything but its argument.

import { inspect } from 'node:util'
import { ParallelError } from '../errors.ts'
import type { TransactionOpts } from './open-block.ts'
import type { PoolRules } from './pool-ledger.ts'

/** Options of {@link ParallelBlockBuilder.addTransactions}; every field is optional. */
export interface AddTransactionsOpts extends TransactionOpts {
  /**
   * What to do with a transaction that is not valid, or does not fit. `skip` (default): report it with its
   * error, and go on. `throw`: reject with its error; those before it stay in the block.
   */
  onInvalid?: 'skip' | 'throw'
  /**
   * What to do when a transaction's gas limit is more than what is left of the block's. `skip` (default):
   * treat it like any other that is not valid; later ones that ask for less may still fit. `stop`: leave
   * it and all after it untried, whatever `onInvalid` says.
   */
  onFull?: 'skip' | 'stop'
  /**
   * Time for the call, in ms from the call on, time in the executor's queue included; a number from 0.
   * Then no more transactions are taken up, and what is not final is left: the rest of the list, from
   * some place on. Writing what was included to the state comes on top. Default: any time.
   */
  deadlineMs?: number
}

/** Options with every default filled in. */
export interface ResolvedAddOptions extends TransactionOpts, PoolRules {
  /** Infinity where there is no bound. */
  readonly deadlineMs: number
}

const CHOICES = { onInvalid: ['skip', 'throw'], onFull: ['skip', 'stop'] } as const
const FLAGS = ['skipHardForkValidation', 'allowNoBlobs'] as const
/** What a timer can hold. */
const LONGEST_MS = 2 ** 31 - 1

/** @throws ParallelError `INVALID_OPTION` naming the option and what is allowed */
export function resolveAddOptions(options: AddTransactionsOpts): ResolvedAddOptions {
  if (typeof options !== 'object' || options === null)
    throw invalid('options', options, 'an object')
  const names: readonly string[] = [...Object.keys(CHOICES), ...FLAGS, 'deadlineMs']
  for (const name of Object.keys(options)) {
    if (names.includes(name)) continue
    const message = `Unknown option "${name}"; the options are ${names.join(', ')}`
    throw new ParallelError('INVALID_OPTION', message)
  }
  for (const name of FLAGS) {
    const flag = options[name]
    if (flag !== undefined && typeof flag !== 'boolean') throw invalid(name, flag, 'true or false')
  }
  const { skipHardForkValidation, allowNoBlobs } = options
  return {
    ...(skipHardForkValidation === undefined ? {} : { skipHardForkValidation }),
    ...(allowNoBlobs === undefined ? {} : { allowNoBlobs }),
    onInvalid: choice('onInvalid', CHOICES.onInvalid, options.onInvalid),
    onFull: choice('onFull', CHOICES.onFull, options.onFull),
    deadlineMs: milliseconds(options.deadlineMs),
  }
}

function choice<T extends string>(name: string, allowed: readonly [T, T], value: T | undefined): T {
  if (value === undefined) return allowed[0]
  if (allowed.includes(value)) return value
  throw invalid(name, value, allowed.map((one) => `"${one}"`).join(' or '))
}

function milliseconds(value: number | undefined): number {
  if (value === undefined || value === Number.POSITIVE_INFINITY) return Number.POSITIVE_INFINITY
  if (typeof value !== 'number' || !(value >= 0) || value > LONGEST_MS) {
    throw invalid('deadlineMs', value, `a number from 0 to ${LONGEST_MS}, or Infinity`)
  }
  return value
}

function invalid(name: string, value: unknown, allowed: string): ParallelError {
  const shown = typeof value === 'string' ? JSON.stringify(value) : inspect(value, { depth: 0 })
  return new ParallelError('INVALID_OPTION', `Option "${name}" is ${shown}; it must be ${allowed}`)
}
