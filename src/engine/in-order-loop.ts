// Runs transactions of a batch so that the result is that of running them one after the other.
// Authority on that: each commits in its turn only, and only if it read what it would read then. What runs
// ahead of its turn is a guess, which declared accesses make a good one.
//
//   free --claim--> runs ahead --its turn, reads unchanged--> final
//                      |                                        ^
//                      +--its turn, a read has changed--> runs again, in its turn

import { ParallelError } from '../errors.ts'
import {
  type BatchWork,
  isConflict,
  isStopped,
  isThenable,
  type Outcome,
  pause,
} from './batch-work.ts'
import { BOARD, claimWord, lastNeededWord } from './board.ts'
import type { MvccTransaction } from './mvcc-transaction.ts'

/** Transactions that a batch runs ahead per worker: bounds how long snapshots stay open. */
const AHEAD_PER_WORKER = 4

/** A transaction that has run and waits for its turn. */
interface Guess {
  readonly index: number
  readonly open: MvccTransaction
  readonly ended: { readonly value: unknown } | { readonly error: unknown }
}

export async function runInOrder(work: BatchWork): Promise<void> {
  const { atomics, board, shape, admission } = work
  const guesses: Guess[] = []
  try {
    while (!isStopped(work)) {
      const done = atomics.load(board, BOARD.DONE)
      if (done >= shape.transactions) return
      const turn = guesses.findIndex(({ index }) => index === done)
      if (turn !== -1) {
        await finish(work, guesses.splice(turn, 1)[0])
        continue
      }
      const index = claim(work, done)
      if (index === -1) {
        await pause(work, BOARD.DONE, done)
      } else if (index === done) {
        // Its turn already: nothing can come in between.
        admission.enter()
        await finish(work, await guess(work, index))
        admission.leave()
      } else if (admission.limit > 1 && admission.tryEnter()) {
        // With a limit of one, that one is whose turn it is, also while it has not begun.
        guesses.push(await guess(work, index))
        admission.leave()
      } else {
        atomics.store(board, claimWord(shape, index), 0)
        await pause(work, BOARD.DONE, done)
      }
    }
  } finally {
    for (const { open } of guesses) open.abort()
  }
}

/** Takes the lowest transaction that may begin. Returns -1 if there is none, or too many run ahead. */
function claim({ atomics, board, shape }: BatchWork, done: number): number {
  const end = Math.min(shape.transactions, done + shape.workers * AHEAD_PER_WORKER)
  for (let index = done; index < end; index++) {
    const word = claimWord(shape, index)
    if (atomics.load(board, word) !== 0) continue
    if (board[lastNeededWord(shape, index)] >= done) continue
    if (atomics.compareExchange(board, word, 0, 1) === 0) return index
  }
  return -1
}

async function guess(work: BatchWork, index: number): Promise<Guess> {
  const open = work.store.begin({ isolation: 'serializable' })
  try {
    let value: unknown = work.run(open, work.transactions[index])
    if (isThenable(value)) value = await value
    return { index, open, ended: { value } }
  } catch (error) {
    return { index, open, ended: { error } }
  }
}

/** It is the turn of `first`: makes it final, running it again for as long as that is worth it. */
async function finish(work: BatchWork, first: Guess): Promise<void> {
  const { atomics, board, admission } = work
  let last = first
  let outcome: Final | undefined
  let attempts = 1
  let conflicts = 0
  for (; ; attempts++) {
    // The batch was given up meanwhile: nobody would know of a commit.
    if (isStopped(work)) {
      last.open.abort()
      return
    }
    outcome = tryFinal(last)
    if (attempts === 1) admission.count(outcome === undefined)
    if (outcome === undefined) conflicts++
    if (attempts > work.maxRetries || !isWorthAnother(work, outcome)) break
    // It counts as one that runs, or others would guess what it is about to change.
    admission.enter()
    last = await guess(work, first.index)
    admission.leave()
  }
  outcome ??= { isSuccessful: false, error: interfered(first.index) }
  work.outcomes.push({ transaction: first.index, attempts, conflicts, ...outcome })
  atomics.store(board, BOARD.DONE, first.index + 1)
  atomics.notify(board, BOARD.DONE)
}

type Final = Pick<Outcome, 'isSuccessful' | 'value' | 'error'>

/** How it ended; `undefined` if it read what has changed since, so that its end means nothing. */
function tryFinal({ open, ended }: Guess): Final | undefined {
  if (!open.isCurrent()) {
    open.abort()
    return undefined
  }
  if ('error' in ended) {
    open.abort()
    return { isSuccessful: false, error: ended.error }
  }
  try {
    open.commit()
    return { isSuccessful: true, value: ended.value }
  } catch (error) {
    return isConflict(error) ? undefined : { isSuccessful: false, error }
  }
}

/** After interference always; after an error of its own where the predicate says so. */
function isWorthAnother({ isRetriable }: BatchWork, outcome: Final | undefined): boolean {
  if (outcome === undefined) return true
  return !outcome.isSuccessful && isRetriable !== undefined && isRetriable(outcome.error)
}

function interfered(index: number): ParallelError {
  return new ParallelError(
    'WRITE_CONFLICT',
    `Others than this batch kept writing what transaction ${index} reads or writes; raise maxRetries, or let nobody else write meanwhile`,
  )
}
