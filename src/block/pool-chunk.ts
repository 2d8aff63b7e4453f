// Which of the transactions that a builder is given go to the workers together.
// Authority on where a chunk ends. What is sure to be refused does not go along, and what the workers must
// not run ends the chunk. It decides nothing about validity.

import { Blob4844Tx, type TypedTransaction } from '@ethereumjs/tx'
import type { VM } from '@ethereumjs/vm'
import type { OpenBlock, TransactionOpts } from './open-block.ts'
import type { PoolLedger } from './pool-ledger.ts'
import { rulesOf } from './same-rules.ts'

/**
 * A chunk may ask for so many times the gas that is left: transactions use less than they ask for, and
 * those that find the block full cost their sender's recovery and little more.
 */
const GAS_AHEAD = 3n
/** Transactions of a chunk at most: bounds what is in shared memory at once. */
const MOST_MEMBERS = 8_192
/** So many candidates for the calling thread that follow each other are no part of a chunk, which ends there. */
const LONG_RUN = 128
/** They need not be so many where no other chunk has to follow. */
const LAST_RUN = 32
const NOWHERE = Number.POSITIVE_INFINITY

/** A part of the list given to `addTransactions`, from `ledger.next` on. */
export interface PoolChunk {
  /** Places in the list, in its order, of those that go to the workers. */
  readonly members: readonly number[]
  /** Those, in the same order. Each suits the workers, and all have the same chain rules. */
  readonly transactions: readonly TypedTransaction[]
  /** The first place that is not of the chunk. Those between that are no members do not fit. */
  readonly end: number
}

/** What a chunk is cut from, and by. */
export interface PoolSource {
  readonly vm: VM
  readonly open: OpenBlock
  readonly ledger: PoolLedger
  readonly transactions: readonly TypedTransaction[]
  readonly opts: TransactionOpts
  /** Why workers cannot run a transaction, as `transactionCheck` tells. */
  readonly whyNot: (tx: TypedTransaction) => string | undefined
  /** Whether the calling thread may do it faster than it can hand it on, as far as it tells itself. */
  readonly isCandidate: (tx: TypedTransaction) => boolean
}

/** Where the run of candidates ends that begins with the next one; there where it is short. */
export function directRunEnd(source: PoolSource): number {
  const { transactions, isCandidate } = source
  const { next } = source.ledger
  let end = next
  for (; end < transactions.length; end++) {
    const tx = transactions[end]
    if (!isCandidate(tx) || !isPlain(tx, source)) break
  }
  const fewest = end === transactions.length ? LAST_RUN : LONG_RUN
  return end - next < fewest ? next : end
}

/** The next chunk; without members and empty where the next transaction is not for the workers. */
export function nextChunk(source: PoolSource): PoolChunk {
  const { open, ledger, transactions, opts } = source
  const members: number[] = []
  const chosen: TypedTransaction[] = []
  const most = open.gasLeft * GAS_AHEAD
  let isLikeFirst: ((tx: TypedTransaction) => boolean) | undefined
  let gas = 0n
  let directFrom = NOWHERE
  let index = ledger.next
  for (; index < transactions.length && members.length < MOST_MEMBERS && gas <= most; index++) {
    const tx = transactions[index]
    if (!isPlain(tx, source)) break
    const refusal = open.refusal(tx, opts.allowNoBlobs)
    if (refusal !== undefined) {
      // What is left only gets less, so it will not fit later either.
      if (ledger.stopsAt(refusal)) break
      continue
    }
    isLikeFirst ??= rulesOf(tx)
    if (!isLikeFirst(tx)) break
    members.push(index)
    chosen.push(tx)
    gas += tx.gasLimit
    const follows = members.at(-2) === index - 1
    if (!source.isCandidate(tx)) directFrom = NOWHERE
    else if (!follows || directFrom === NOWHERE) directFrom = members.length - 1
    if (members.length - directFrom === LONG_RUN) {
      const end = members[directFrom]
      return {
        members: members.slice(0, directFrom),
        transactions: chosen.slice(0, directFrom),
        end,
      }
    }
  }
  return { members, transactions: chosen, end: index }
}

/** Whether workers can run it, and stock's builder goes on with it in the block as with any other. */
export function isPlain(tx: TypedTransaction, { vm, whyNot }: PoolSource): boolean {
  const { common } = vm
  if (whyNot(tx) !== undefined) return false
  if (tx instanceof Blob4844Tx && !common.isActivatedEIP(4844)) return false
  // Stock makes the block's transactions anew for each that is added, and refuses to make these.
  if (tx.common.chainId() !== common.chainId()) return false
  return tx.to !== undefined || !common.isActivatedEIP(3860) || isShort(tx, common)
}

function isShort({ data }: TypedTransaction, common: VM['common']): boolean {
  return BigInt(data.length) <= common.param('maxInitCodeSize')
}

/** Blobs that a transaction brings. */
export function blobsOf(tx: TypedTransaction): number {
  return tx instanceof Blob4844Tx ? tx.numBlobs() : 0
}
