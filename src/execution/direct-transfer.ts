// Plain transfers of ether, done without an EVM: what stock's `runTx` comes to where neither side has code.
// Authority on which transactions are so plain, what they cost, and what stock returns of them. Whatever
// else there is, and whatever is refused, is left to stock, with nothing changed. Must not be relied on
// where stock has not been seen to do the same (see transfer-trust.ts).

import type { BlockHeader } from '@ethereumjs/block'
import { type Common, ConsensusType, Hardfork } from '@ethereumjs/common'
import {
  getCalldataFloorGas,
  isAccessList2930Tx,
  isFeeMarket1559Tx,
  isLegacyTx,
  type TypedTransaction,
} from '@ethereumjs/tx'
import { Account, type Address, MAX_UINT64 } from '@ethereumjs/util'
import { Bloom, type RunTxResult } from '@ethereumjs/vm'
import { FeeAccount, LazyAccount } from './lazy-account.ts'
import type { OverlayStateManager } from './overlay-state-manager.ts'
import { LARGEST_UNREAD_ADDITION } from './state-view.ts'

/** They change what a transfer costs, logs, or records. */
const CHANGING_EIPS = [2780, 6800, 7708, 7778, 7864, 7928, 8037]

/** What a transfer costs whom, in wei, and its gas. */
export interface TransferFees {
  readonly gas: bigint
  /** What the sender must have. */
  readonly most: bigint
  /** What the sender pays for gas. */
  readonly paid: bigint
  /** What the coinbase is credited. */
  readonly credit: bigint
}

/** Whether transfers are plain by these chain rules. */
export function hasPlainTransfers(common: Common): boolean {
  return (
    common.gteHardfork(Hardfork.Byzantium) &&
    common.consensusType() !== ConsensusType.ProofOfAuthority &&
    CHANGING_EIPS.every((eip) => !common.isActivatedEIP(eip))
  )
}

/** Whether `tx` may be a plain transfer, as far as it tells itself. */
export function isTransferLike(tx: TypedTransaction): boolean {
  if (tx.to === undefined || tx.data.length > 0 || tx.value <= 0n) return false
  if (isLegacyTx(tx)) return true
  return (isFeeMarket1559Tx(tx) || isAccessList2930Tx(tx)) && tx.accessList.length === 0
}

/**
 * Does a transfer in `overlay`. The chain rules have plain transfers, and `tx` is transfer-like.
 * @returns stock's result, with the receipt's cumulative gas that of `tx` alone; `undefined`, with nothing
 * changed, where stock has to run it
 * @throws EstimateError, HaltedError, ParallelError `STORE_FULL`, and stock's error for a signature of nobody
 */
export async function transferDirectly(
  tx: TypedTransaction,
  header: BlockHeader,
  common: Common,
  overlay: OverlayStateManager,
  isPrecompile: (address: Address) => boolean,
): Promise<RunTxResult | undefined> {
  const { to, value } = tx
  const { coinbase } = header
  const fees = transferFees(tx, header, common)
  if (fees === undefined || to === undefined || value > LARGEST_UNREAD_ADDITION) return undefined
  // Crediting nothing clears an empty account away (EIP-161), which takes a look at it.
  if (fees.credit === 0n) return undefined
  const sender = tx.getSenderAddress()
  if (!arePlainParties(sender, to, coinbase) || isPrecompile(to)) return undefined

  const payer = await overlay.getAccountWhole(sender)
  if (payer === undefined || payer.isContract()) return undefined
  if (payer.nonce !== tx.nonce || payer.balance < fees.most) return undefined
  const payee = await overlay.getAccount(to)
  if (payee instanceof LazyAccount) {
    if (!payee.canAddUnread || (await overlay.getCode(to)).length > 0) return undefined
  }
  if (!(await overlay.mayCreditUnread(coinbase))) return undefined

  payer.nonce += 1n
  payer.balance -= fees.paid + value
  await overlay.putAccount(sender, payer)
  await overlay.putAccount(to, grown(payee, value))
  const credited = new FeeAccount()
  credited.balance = fees.credit
  await overlay.putAccount(coinbase, credited)
  return transferResult(fees, common)
}

function grown(account: Account | undefined, value: bigint): Account {
  if (account instanceof LazyAccount) {
    account.addUnread(value)
    return account
  }
  const made = new Account()
  made.balance = value
  return made
}

/** Whether they are three, so that each is read and written once. */
export function arePlainParties(sender: Address, to: Address, coinbase: Address): boolean {
  return !to.equals(sender) && !to.equals(coinbase) && !sender.equals(coinbase)
}

/** Of a transfer-like `tx`; `undefined` where stock refuses it. */
export function transferFees(
  tx: TypedTransaction,
  header: BlockHeader,
  common: Common,
): TransferFees | undefined {
  const { gasLimit } = tx
  if (gasLimit > header.gasLimit || tx.nonce >= MAX_UINT64) return undefined
  const hardfork = common.hardfork()
  if (tx.common.hardfork() !== hardfork || header.common.hardfork() !== hardfork) return undefined
  const gas = tx.getIntrinsicGas()
  if (gasLimit < gas || getCalldataFloorGas(tx) > gas) return undefined
  const price = priceOf(tx, header.baseFeePerGas, common)
  if (price === undefined) return undefined
  const { most, paid, tip } = price
  return { gas, most: gasLimit * most + tx.value, paid: gas * paid, credit: gas * tip }
}

/** Wei per gas: what the sender must be able to pay, what it pays, and what of that is the coinbase's. */
function priceOf(
  tx: TypedTransaction,
  baseFee: bigint | undefined,
  common: Common,
): { readonly most: bigint; readonly paid: bigint; readonly tip: bigint } | undefined {
  if (isFeeMarket1559Tx(tx)) {
    if (!common.isActivatedEIP(1559) || baseFee === undefined) return undefined
    const { maxFeePerGas: most, maxPriorityFeePerGas } = tx
    if (most < baseFee) return undefined
    const left = most - baseFee
    const tip = left < maxPriorityFeePerGas ? left : maxPriorityFeePerGas
    return { most, paid: baseFee + tip, tip }
  }
  if (!isLegacyTx(tx) && !isAccessList2930Tx(tx)) return undefined
  if (!isLegacyTx(tx) && !common.isActivatedEIP(2930)) return undefined
  const { gasPrice } = tx
  if (!common.isActivatedEIP(1559)) return { most: gasPrice, paid: gasPrice, tip: gasPrice }
  return baseFee === undefined || gasPrice < baseFee
    ? undefined
    : { most: gasPrice, paid: gasPrice, tip: gasPrice - baseFee }
}

/** Stock's result of a transfer that is the first of its block, with the fields that stock's has. */
export function transferResult({ gas, paid, credit }: TransferFees, common: Common): RunTxResult {
  const bloom = new Bloom(undefined, common)
  return {
    execResult: {
      gasRefund: 0n,
      executionGasUsed: 0n,
      exceptionError: undefined,
      returnValue: new Uint8Array(0),
      logs: undefined,
    },
    totalGasSpent: gas,
    gasRefund: 0n,
    blockGasSpent: gas,
    amountSpent: paid,
    minerValue: credit,
    bloom,
    receipt: { status: 1, cumulativeBlockGasUsed: gas, bitvector: bloom.bitvector, logs: [] },
  } as unknown as RunTxResult
}
