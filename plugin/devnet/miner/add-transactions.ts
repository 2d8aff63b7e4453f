// Adds transactions to a block that is being built, in order: by the package's own builder in parallel
// where there is one, else one by one. The authority on what becomes of those that cannot be added: only
// what is not valid by itself is, not what waits behind another one of its sender.

import type { TypedTransaction } from '@ethereumjs/tx'
import type { BlockBuilder, RunTxResult, VM } from '@ethereumjs/vm'
import type { ParallelBlockBuilder } from '../../../src/index.ts'
import type { SentTransaction } from '../chain/sealed-block.ts'
import { withContractSender } from './contract-senders.ts'

export interface SkippedTransaction<T extends SentTransaction> {
  readonly transaction: T
  /** `later`: it may go into another block. `invalid`: it cannot be executed on this state. */
  readonly reason: 'later' | 'invalid'
  readonly message: string
}

export interface AddedTransactions<T extends SentTransaction> {
  readonly included: readonly T[]
  /** One for each that is included. */
  readonly results: readonly RunTxResult[]
  readonly skipped: readonly SkippedTransaction<T>[]
  /** Where workers executed some. */
  readonly workers: number | undefined
  readonly reExecutions: number
}

export async function addTransactions<T extends SentTransaction>(
  vm: VM,
  builder: BlockBuilder | ParallelBlockBuilder,
  transactions: readonly T[],
): Promise<AddedTransactions<T>> {
  const ledger = new Ledger<T>()
  for (const part of await partsOf(vm, builder, transactions)) {
    if (part.isTogether)
      await addTogether(builder as ParallelBlockBuilder, part.transactions, ledger)
    else await addOneByOne(vm, builder, part.transactions, ledger)
  }
  return ledger
}

class Ledger<T extends SentTransaction> implements AddedTransactions<T> {
  readonly included: T[] = []
  readonly results: RunTxResult[] = []
  readonly skipped: SkippedTransaction<T>[] = []
  workers: number | undefined
  reExecutions = 0
  readonly #stopped = new Set<string>()

  include(transaction: T, result: RunTxResult): void {
    this.included.push(transaction)
    this.results.push(result)
  }

  skip(transaction: T, error: unknown): void {
    const message = error instanceof Error ? error.message : String(error)
    const isLater = this.#stopped.has(transaction.sender) || DOES_NOT_FIT.test(message)
    this.#stopped.add(transaction.sender)
    this.skipped.push({ transaction, reason: isLater ? 'later' : 'invalid', message })
  }
}

/** Stock's words for a transaction that wants more gas, or blobs, than the block has left. */
const DOES_NOT_FIT = /higher gas limit than the remaining gas|blob gas limit reached/

interface Part<T> {
  readonly isTogether: boolean
  readonly transactions: T[]
}

/** Runs of transactions that can be added together; contracts that send have to be let pass one by one. */
async function partsOf<T extends SentTransaction>(
  vm: VM,
  builder: BlockBuilder,
  transactions: readonly T[],
): Promise<Part<T>[]> {
  const canAddMany = 'addTransactions' in builder
  const parts: Part<T>[] = []
  for (const transaction of transactions) {
    const isTogether = canAddMany && !(await isFromContract(vm, transaction))
    const last = parts.at(-1)
    if (last?.isTogether === isTogether) last.transactions.push(transaction)
    else parts.push({ isTogether, transactions: [transaction] })
  }
  return parts
}

async function addTogether<T extends SentTransaction>(
  builder: ParallelBlockBuilder,
  transactions: readonly T[],
  ledger: Ledger<T>,
): Promise<void> {
  const list = transactions.map(({ tx }) => tx)
  const added = await builder.addTransactions(list, { onInvalid: 'skip', allowNoBlobs: true })
  for (const { index, result } of added.included) ledger.include(transactions[index] as T, result)
  for (const { index, error } of added.skipped) ledger.skip(transactions[index] as T, error)
  const { workers, reExecutions } = added.parallel
  if (workers > 0) ledger.workers = workers
  ledger.reExecutions += reExecutions
}

async function addOneByOne<T extends SentTransaction>(
  vm: VM,
  builder: BlockBuilder,
  transactions: readonly T[],
  ledger: Ledger<T>,
): Promise<void> {
  // Stock makes a block of all transactions so far for each one, and does not need them for that.
  const { transactions: soFar } = builder as unknown as { transactions: TypedTransaction[] }
  const before = soFar.splice(0)
  try {
    for (const transaction of transactions) {
      const add = () => builder.addTransaction(transaction.tx, { allowNoBlobs: true })
      try {
        const isContract = await isFromContract(vm, transaction)
        const result = isContract
          ? await withContractSender(vm, transaction.sender, add)
          : await add()
        ledger.include(transaction, result)
        before.push(...soFar.splice(0))
      } catch (error) {
        ledger.skip(transaction, error)
      }
    }
  } finally {
    soFar.push(...before)
  }
}

/** An impersonated account that has code, which Ethereum's rules keep from sending (EIP-3607). */
async function isFromContract(vm: VM, { tx, isImpersonated }: SentTransaction): Promise<boolean> {
  if (!isImpersonated) return false
  const account = await vm.stateManager.getAccount(tx.getSenderAddress())
  return account?.isContract() === true
}
