// What eth_call, eth_estimateGas, debug_traceCall, eth_createAccessList and eth_simulateV1 are asked to run.
// The authority on the fields of a call, their defaults, and which of them exclude each other.
// Must not run anything, nor look at state.
import { type Address, createZeroAddress } from '@ethereumjs/util'
import { z } from 'zod'

import { invalidInput, invalidParams } from '../rpc-error.ts'
import { address, data, hash, quantity, smallQuantity } from './hex-schemas.ts'

const accessListItem = z.object({ address, storageKeys: z.array(hash) })

const authorization = z.object({
  chainId: quantity,
  address,
  nonce: smallQuantity,
  yParity: quantity.nullish(),
  v: quantity.nullish(),
  r: quantity,
  s: quantity,
})

/** Fields that are not named here are ignored, as Hardhat does. */
export const callRequest = z.object({
  from: address.nullish(),
  to: address.nullish(),
  gas: smallQuantity.nullish(),
  gasPrice: quantity.nullish(),
  maxFeePerGas: quantity.nullish(),
  maxPriorityFeePerGas: quantity.nullish(),
  maxFeePerBlobGas: quantity.nullish(),
  blobVersionedHashes: z.array(hash).nullish(),
  value: quantity.nullish(),
  nonce: smallQuantity.nullish(),
  data: data.nullish(),
  input: data.nullish(),
  chainId: quantity.nullish(),
  type: quantity.nullish(),
  accessList: z.array(accessListItem).nullish(),
  authorizationList: z.array(authorization).nullish(),
})

export type CallRequest = z.infer<typeof callRequest>

export interface Authorization {
  readonly chainId: bigint
  readonly address: Address
  readonly nonce: bigint
  readonly yParity: bigint
  readonly r: bigint
  readonly s: bigint
}

export interface AccessListEntry {
  readonly address: Address
  readonly storageKeys: readonly Uint8Array[]
}

/** A call as the EVM has to do with it. */
export interface CallMessage {
  readonly from: Address
  /** Undefined for a creation. */
  readonly to: Address | undefined
  readonly gas: bigint
  /** Wei. What GASPRICE gives: with a priority fee, the lower of its sum with the base fee and the cap. */
  readonly gasPrice: bigint
  /** Wei. The most that the sender wants to pay; `gasPrice` where it is no cap. */
  readonly maxFeePerGas: bigint
  readonly maxPriorityFeePerGas: bigint
  readonly value: bigint
  readonly data: Uint8Array
  readonly nonce: bigint | undefined
  readonly accessList: readonly AccessListEntry[] | undefined
  readonly authorizationList: readonly Authorization[] | undefined
  readonly blobVersionedHashes: readonly Uint8Array[]
  readonly maxFeePerBlobGas: bigint | undefined
}

export interface CallDefaults {
  /** Where the request has no `gas`. */
  readonly gas: bigint
  /** More than this no call gets. Default: what it asks for. */
  readonly gasCap?: bigint
  /** Wei; of the block it runs in. */
  readonly baseFeePerGas: bigint
}

/**
 * The call with its defaults: from the zero address, no value, no data, no fee.
 * @throws RpcError if fields contradict each other
 */
export function toCallMessage(request: CallRequest, defaults: CallDefaults): CallMessage {
  const { to, authorizationList, maxFeePerBlobGas } = request
  const asked = request.gas ?? defaults.gas
  const { gasCap = asked } = defaults
  return {
    from: request.from ?? createZeroAddress(),
    to: to ?? undefined,
    gas: asked < gasCap ? asked : gasCap,
    ...feesOf(request, defaults.baseFeePerGas),
    value: request.value ?? 0n,
    data: inputOf(request),
    nonce: request.nonce ?? undefined,
    accessList: request.accessList ?? undefined,
    authorizationList: listed(authorizationList)?.map((each) => {
      const yParity = each.yParity ?? each.v
      if (yParity == null)
        throw invalidParams('Invalid params: authorizationList: yParity is missing')
      return { ...each, yParity }
    }),
    blobVersionedHashes: request.blobVersionedHashes ?? [],
    maxFeePerBlobGas: maxFeePerBlobGas ?? undefined,
  }
}

/** An empty list is none: a transaction with one would be refused. */
function listed<Item>(list: readonly Item[] | null | undefined): readonly Item[] | undefined {
  return list == null || list.length === 0 ? undefined : list
}

function inputOf({ data, input }: CallRequest): Uint8Array {
  if (data != null && input != null && Buffer.compare(data, input) !== 0) {
    throw invalidParams('Invalid params: data and input are both given, and differ')
  }
  return data ?? input ?? new Uint8Array(0)
}

function feesOf(
  { gasPrice, maxFeePerGas, maxPriorityFeePerGas }: CallRequest,
  baseFeePerGas: bigint,
): Pick<CallMessage, 'gasPrice' | 'maxFeePerGas' | 'maxPriorityFeePerGas'> {
  if (gasPrice != null) {
    if (maxFeePerGas != null) {
      throw invalidInput('Cannot send both gasPrice and maxFeePerGas params')
    }
    if (maxPriorityFeePerGas != null) {
      throw invalidInput('Cannot send both gasPrice and maxPriorityFeePerGas')
    }
    return { gasPrice, maxFeePerGas: gasPrice, maxPriorityFeePerGas: gasPrice }
  }
  if (maxFeePerGas == null && maxPriorityFeePerGas == null) {
    return { gasPrice: 0n, maxFeePerGas: 0n, maxPriorityFeePerGas: 0n }
  }
  const tip = maxPriorityFeePerGas ?? 0n
  const cap = maxFeePerGas ?? tip + baseFeePerGas
  if (tip > cap) {
    throw invalidInput(`maxPriorityFeePerGas (${tip}) is bigger than maxFeePerGas (${cap})`)
  }
  const sum = tip + baseFeePerGas
  return {
    gasPrice: sum < cap ? sum : cap,
    maxFeePerGas: cap,
    maxPriorityFeePerGas: tip,
  }
}
