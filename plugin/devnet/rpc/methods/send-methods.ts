// eth_* methods that send transactions, and those about what waits to be mined.
// The authority on their parameters and on who may send.

import type { TypedTransaction } from '@ethereumjs/tx'
import { identifyTransaction, recoverSenders } from '../../../../src/index.ts'
import type { SealedBlock, SentTransaction } from '../../chain/sealed-block.ts'
import type { DevnetCore } from '../../core.ts'
import { type Hex, hexOf } from '../../hex.ts'
import { pooledBySender } from '../../pool/pooled-by-sender.ts'
import { impersonatedTransaction, signTransaction } from '../../pool/sign-transaction.ts'
import { gasCapError, type MinedTransaction, submit } from '../../pool/submit.ts'
import { invalidInput, invalidParams } from '../../rpc-error.ts'
import { refusing } from '../../simulation/call.ts'
import { failureOf, type Rerun } from '../failure.ts'
import { pendingTransactionJson } from '../formats/transaction-json.ts'
import { type MethodTable, method } from '../method-table.ts'
import { parseRawTransaction } from '../raw-transaction.ts'
import { runMinedOf, vmBefore } from '../replay.ts'
import { data, transactionRequest } from '../schemas.ts'
import { defaultGas, transactionData } from '../transaction-data.ts'

export const sendMethods: MethodTable = {
  eth_sendTransaction: method([transactionRequest], async ({ core }, request) => {
    const sender = request.from ?? core.accounts.all[0]?.address
    if (sender === undefined)
      throw invalidParams('Invalid params: there is no account to send from')
    const account = core.accounts.find(sender)
    if (account === undefined && !core.accounts.isImpersonated(sender)) {
      throw invalidInput(`Unknown account ${sender}`)
    }
    const outcome = await core.changes.run(async () => {
      const gas = request.gas ?? defaultGas(core)
      const cap = core.rules.transactionGasCap
      if (cap !== undefined && gas > cap) throw gasCapError(gas, cap)
      const unsigned = await transactionData(core, sender, request)
      const sent = refusing(() =>
        account === undefined || core.accounts.isImpersonated(sender)
          ? impersonatedTransaction(core.rules, unsigned, sender)
          : signTransaction(core.rules, unsigned, account),
      )
      return send(core, sent)
    })
    return answer(core, outcome)
  }),

  eth_sendRawTransaction: method([data], async ({ core }, raw) => {
    const tx = parseRawTransaction(core, raw)
    await recoverSenders([tx])
    const sent = await sentOf(tx)
    return answer(core, await core.changes.run(() => send(core, sent)))
  }),

  eth_pendingTransactions: method([], async ({ core }) => {
    const { ready, queued } = await pooledBySender(core)
    return [...ready, ...queued].map(pendingTransactionJson)
  }),
}

interface Outcome {
  readonly hash: Hex
  readonly mined: MinedTransaction | undefined
}

async function send(core: DevnetCore, sent: SentTransaction): Promise<Outcome> {
  return { hash: sent.hash, mined: await submit(core, sent) }
}

/** Explaining a failure may take long, and no other change has to wait for that. */
async function answer(core: DevnetCore, { hash, mined }: Outcome): Promise<Hex> {
  if (mined === undefined || !core.options.throwOnTransactionFailures) return hash
  const { result, sealed, index } = mined
  if (result.execResult.exceptionError === undefined) return hash
  const transactionHash = hash
  throw await failureOf(core, { result, transactionHash, rerun: () => again(core, sealed, index) })
}

async function again(core: DevnetCore, sealed: SealedBlock, index: number): Promise<Rerun> {
  const vm = await vmBefore(core, sealed, index)
  const tx = sealed.block.transactions[index] as TypedTransaction
  return { vm, run: () => runMinedOf(sealed)(vm, sealed.block, tx) }
}

async function sentOf(tx: TypedTransaction): Promise<SentTransaction> {
  refusing(() => {
    if (!tx.isSigned()) throw new Error('Invalid signature: the transaction is not signed')
    tx.getSenderPublicKey()
  })
  const { bytes, hash, sender } = await identifyTransaction(tx)
  return { tx, bytes, hash: hexOf(hash), sender: hexOf(sender), isImpersonated: false }
}
