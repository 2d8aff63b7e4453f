// Takes a transaction from a client: into the pool, or with automine on straight into a block.
// The authority on what is refused before it gets there, and on what failing means for who sent it.
// Must be called by one caller at a time.

import type { RunTxResult } from '@ethereumjs/vm'
import type { SealedBlock, SentTransaction } from '../chain/sealed-block.ts'
import type { DevnetCore } from '../core.ts'
import { invalidInput } from '../rpc-error.ts'
import { leastGas } from '../simulation/call.ts'
import { checkCreation } from '../tracing/call-limits.ts'
import { maxFeePerGas } from './fees.ts'
import { accountOf } from './sender-accounts.ts'

/** What came of a transaction, and where it is. */
export interface MinedTransaction {
  readonly result: RunTxResult
  readonly sealed: SealedBlock
  /** In the block. */
  readonly index: number
}

/**
 * Returns what came of it if it was mined at once.
 * @throws RpcError if it is refused
 */
export async function submit(
  core: DevnetCore,
  sent: SentTransaction,
): Promise<MinedTransaction | undefined> {
  checkGas(core, sent)
  const account = await accountOf(sent.sender, core.chain.state)
  const { automine } = core.settings
  if (automine) checkForNextBlock(core, sent, account.nonce)
  const pooled = core.pool.add(sent, account)
  core.events.emit('pooled', pooled)
  return automine ? mineUntilIncluded(core, sent) : undefined
}

async function mineUntilIncluded(
  { miner, pool }: DevnetCore,
  { hash }: SentTransaction,
): Promise<MinedTransaction> {
  for (;;) {
    const { sealed, included, skipped, results } = await miner.mine()
    const index = included.findIndex((it) => it.hash === hash)
    if (index !== -1) return { result: results[index] as RunTxResult, sealed, index }
    const refused = skipped.find((it) => it.transaction.hash === hash && it.reason === 'invalid')
    if (refused !== undefined) throw invalidInput(refused.message)
    if (pool.get(hash) === undefined) throw invalidInput('The transaction was dropped')
    // Others were ahead of it and filled the block. A block without any would be filled by none.
    if (included.length === 0) throw invalidInput('The transaction does not fit into a block')
  }
}

function checkGas({ rules, miner }: DevnetCore, { tx }: SentTransaction): void {
  const { gasLimit } = tx
  const { transactionGasCap } = rules
  if (transactionGasCap !== undefined && gasLimit > transactionGasCap)
    throw gasCapError(gasLimit, transactionGasCap)
  if (gasLimit > miner.settings.gasLimit) {
    throw invalidInput(
      `Transaction gas limit is ${gasLimit} and exceeds block gas limit of ${miner.settings.gasLimit}`,
    )
  }
  const least = leastGas(tx)
  if (gasLimit < least) {
    throw invalidInput(`Transaction requires at least ${least} gas but got ${gasLimit}`)
  }
  checkCreation(tx.to === undefined, tx.data.length)
}

export function gasCapError(gasLimit: bigint, cap: bigint): Error {
  return invalidInput(
    `Transaction gas limit is ${gasLimit} and exceeds transaction gas cap of ${cap}`,
  )
}

function checkForNextBlock(core: DevnetCore, { tx, sender }: SentTransaction, nonce: bigint): void {
  const expected = core.pool.nextNonce(sender, nonce)
  if (tx.nonce < nonce || tx.nonce > expected) {
    const word = tx.nonce < nonce ? 'low' : 'high'
    throw invalidInput(
      `Nonce too ${word}. Expected nonce to be ${expected} but got ${tx.nonce}. Note that transactions can't be queued when automining.`,
    )
  }
  const { baseFeePerGas } = core.miner.nextHeader()
  const fee = maxFeePerGas(tx)
  if (fee >= baseFeePerGas) return
  const name = 'maxFeePerGas' in tx ? 'maxFeePerGas' : 'gasPrice'
  throw invalidInput(
    `Transaction ${name} (${fee}) is too low for the next block, which has a baseFeePerGas of ${baseFeePerGas}`,
  )
}
