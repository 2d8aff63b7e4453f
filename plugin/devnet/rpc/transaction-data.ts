// From a client's description of a transaction to the one that is meant.
// The authority on defaults (gas, fees, nonce, type) and on which fields go together.

import { TransactionType, type TypedTxData } from '@ethereumjs/tx'
import type { DevnetCore } from '../core.ts'
import { type Hex, quantity } from '../hex.ts'
import { accountOf } from '../pool/sender-accounts.ts'
import { invalidInput, invalidParams } from '../rpc-error.ts'
import { checkCreation, checkGasCap } from '../tracing/call-limits.ts'
import type { TransactionRequest } from './schemas.ts'

const GWEI = 1_000_000_000n

/** The gas of a transaction or call that names none: the most that one can have on a new devnet. */
export function defaultGas({ rules, options }: DevnetCore): bigint {
  const cap = rules.transactionGasCap
  return cap !== undefined && cap < options.blockGasLimit ? cap : options.blockGasLimit
}

/**
 * The gas of a call, which no block bounds.
 * @throws RpcError if it is more than a transaction can have
 */
export function callGas(core: DevnetCore, asked: bigint | null | undefined): bigint {
  checkGasCap(asked, core.rules.transactionGasCap)
  const most = defaultGas(core)
  return asked == null || asked > most ? most : asked
}

/** The transaction of eth_sendTransaction, without a signature. */
export async function transactionData(
  core: DevnetCore,
  sender: Hex,
  request: TransactionRequest,
): Promise<TypedTxData> {
  checkFees(request)
  const { chainId } = core.options
  if (request.chainId != null && request.chainId !== BigInt(chainId)) {
    throw invalidParams(`Invalid chainId ${request.chainId} provided, expected ${chainId} instead.`)
  }
  if (request.blobs != null || request.blobVersionedHashes != null) {
    throw invalidInput(
      'An EIP-4844 (shard blob) transaction was received, but Hardhat only supports them via `eth_sendRawTransaction`.',
    )
  }
  checkAuthorizations(request)
  const nonce = request.nonce ?? (await nextNonce(core, sender))
  return {
    ...commonData(request, request.gas ?? defaultGas(core)),
    nonce,
    ...feeData(core, request),
  }
}

/** The transaction of eth_call and eth_estimateGas. */
export async function callData(
  core: DevnetCore,
  request: TransactionRequest,
): Promise<{ data: TypedTxData; sender: Hex }> {
  checkFees(request)
  const dataLength = (request.data ?? request.input ?? '0x').length / 2 - 1
  checkCreation(request.to == null, dataLength)
  checkAuthorizations(request)
  const gas = callGas(core, request.gas)
  const sender = request.from ?? core.accounts.all[0]?.address ?? `0x${'0'.repeat(40)}`
  const { maxFeePerGas, maxPriorityFeePerGas, gasPrice } = request
  const base = commonData(request, gas)
  const fees =
    maxFeePerGas != null || maxPriorityFeePerGas != null
      ? {
          maxFeePerGas: maxFeePerGas ?? maxPriorityFeePerGas ?? 0n,
          maxPriorityFeePerGas: maxPriorityFeePerGas ?? 0n,
        }
      : { gasPrice: gasPrice ?? 0n }
  const data = { ...base, ...withType(request, fees), nonce: request.nonce ?? 0n }
  return { data: data as TypedTxData, sender }
}

/** The nonce after all that the sender has in the pool. */
export async function nextNonce({ chain, pool }: DevnetCore, sender: Hex): Promise<bigint> {
  const { nonce } = await accountOf(sender, chain.state)
  return pool.nextNonce(sender, nonce)
}

function commonData(request: TransactionRequest, gasLimit: bigint) {
  const { to, value, accessList, authorizationList } = request
  const data = request.data ?? request.input ?? '0x'
  return {
    gasLimit,
    data,
    value: value ?? 0n,
    ...(to == null ? {} : { to }),
    ...(accessList == null ? {} : { accessList }),
    ...(authorizationList == null
      ? {}
      : { authorizationList: authorizationList.map(authorizationData) }),
  }
}

function authorizationData(item: NonNullable<TransactionRequest['authorizationList']>[number]) {
  const yParity = item.yParity ?? (item.v === undefined ? 0n : item.v % 2n === 0n ? 1n : 0n)
  return {
    chainId: quantity(item.chainId),
    address: item.address,
    nonce: quantity(item.nonce),
    yParity: quantity(yParity),
    r: quantity(item.r),
    s: quantity(item.s),
  }
}

function feeData({ miner }: DevnetCore, request: TransactionRequest): TypedTxData {
  const { gasPrice, maxPriorityFeePerGas } = request
  if (gasPrice != null) return withType(request, { gasPrice })
  const tip =
    maxPriorityFeePerGas ??
    (request.maxFeePerGas != null && request.maxFeePerGas < GWEI ? request.maxFeePerGas : GWEI)
  const maxFeePerGas = request.maxFeePerGas ?? 2n * miner.nextHeader().baseFeePerGas + tip
  return withType(request, { maxFeePerGas, maxPriorityFeePerGas: tip })
}

type Fees =
  | { readonly gasPrice: bigint }
  | { readonly maxFeePerGas: bigint; readonly maxPriorityFeePerGas: bigint }

/** The type that fees and lists ask for. */
function withType({ accessList, authorizationList }: TransactionRequest, fees: Fees): TypedTxData {
  if (authorizationList != null) {
    const paid =
      'gasPrice' in fees
        ? { maxFeePerGas: fees.gasPrice, maxPriorityFeePerGas: fees.gasPrice }
        : fees
    return { ...paid, type: TransactionType.EOACodeEIP7702 }
  }
  if ('maxFeePerGas' in fees) return { ...fees, type: TransactionType.FeeMarketEIP1559 }
  const type = accessList == null ? TransactionType.Legacy : TransactionType.AccessListEIP2930
  return { ...fees, type }
}

/** What ethereumjs would refuse in other words. */
function checkAuthorizations({ authorizationList, to }: TransactionRequest): void {
  if (authorizationList == null) return
  if (authorizationList.length === 0) {
    throw invalidInput('Invalid EIP-7702 transaction: authorization list is empty.')
  }
  if (to == null) {
    throw invalidInput('Invalid EIP-7702 transaction: to (receiver) parameter is missing.')
  }
}

function checkFees({ gasPrice, maxFeePerGas, maxPriorityFeePerGas }: TransactionRequest): void {
  if (gasPrice != null && maxFeePerGas != null) {
    throw invalidInput('Cannot send both gasPrice and maxFeePerGas params')
  }
  if (gasPrice != null && maxPriorityFeePerGas != null) {
    throw invalidInput('Cannot send both gasPrice and maxPriorityFeePerGas')
  }
  if (maxFeePerGas != null && maxPriorityFeePerGas != null && maxPriorityFeePerGas > maxFeePerGas) {
    throw invalidInput(
      `maxPriorityFeePerGas (${maxPriorityFeePerGas}) is bigger than maxFeePerGas (${maxFeePerGas})`,
    )
  }
}
