// A devnet in this process as an Ethereum provider: EIP-1193, and what Hardhat's plugins use beside it.
// Authority on events, on what goes through Hardhat's request handlers, and on what closing means.
// Must not hand out objects of the devnet: what a caller does to an answer is its own affair.
import { EventEmitter } from 'node:events'

import type {
  EthereumProvider,
  JsonRpcRequest,
  JsonRpcResponse,
  RequestArguments,
} from 'hardhat/types/providers'

import type { Devnet, DevnetConnection } from '../devnet/devnet-contract.ts'
import { RPC_CODES } from '../devnet/rpc-error.ts'
import { ProviderError, toProviderError } from './provider-error.ts'

/** Hardhat's providers emit it after `evm_revert`; plugins drop what they remember of the chain. */
const REVERTED_EVENT = 'hardhatNetworkRevertSnapshot'

/** Runs a request through the handlers of Hardhat and its plugins; the last one is given. */
export type RequestChain = (
  request: JsonRpcRequest,
  last: (request: JsonRpcRequest) => Promise<JsonRpcResponse>,
) => Promise<JsonRpcResponse>

export interface ProviderOptions {
  readonly runHandlers: RequestChain
  /** What a transaction without a gas limit is given. */
  readonly defaultTransactionGasLimit: bigint
  readonly isBlockGasLimitEnforced: boolean
}

export class ParallelProvider extends EventEmitter implements EthereumProvider {
  readonly defaultTransactionGasLimit: bigint
  readonly #runHandlers: RequestChain
  readonly #connection: DevnetConnection
  readonly #devnet: Devnet
  readonly #stops: readonly (() => void)[]
  #isBlockGasLimitEnforced: boolean
  #closing: Promise<void> | undefined
  #nextId = 1

  /** @param devnet - closed together with the provider */
  constructor(devnet: Devnet, options: ProviderOptions) {
    super()
    this.defaultTransactionGasLimit = options.defaultTransactionGasLimit
    this.#isBlockGasLimitEnforced = options.isBlockGasLimitEnforced
    this.#runHandlers = options.runHandlers
    this.#devnet = devnet
    this.#connection = devnet.connect()
    this.#stops = [
      this.#connection.onNotification((notification) => {
        const data = asJson(notification)
        this.emit('notification', data)
        this.emit('message', { type: 'eth_subscription', data })
      }),
      devnet.on('reverted', () => this.emit(REVERTED_EVENT)),
    ]
  }

  /** False only for a network with `blockGasLimit: false`, until `evm_setBlockGasLimit` sets one. */
  get isBlockGasLimitEnforced(): boolean {
    return this.#isBlockGasLimitEnforced
  }

  async request({ method, params }: RequestArguments): Promise<unknown> {
    if (this.#closing !== undefined) {
      throw new ProviderError(
        `Cannot call ${method}: the network connection is closed`,
        RPC_CODES.internal,
      )
    }
    if (params !== undefined && !Array.isArray(params)) {
      throw new ProviderError('Invalid params: they must be an array', RPC_CODES.invalidParams)
    }
    const request: JsonRpcRequest = {
      jsonrpc: '2.0',
      id: this.#nextId++,
      method,
      params: params ?? [],
    }
    const response = await this.#runHandlers(request, (last) => this.#ask(last))
    // A handler may have answered itself; the devnet throws.
    if ('error' in response && response.error !== undefined) throw toProviderError(response.error)
    if (method === 'evm_setBlockGasLimit') this.#isBlockGasLimitEnforced = true
    return 'result' in response ? response.result : undefined
  }

  /** @deprecated since EIP-1193; here for clients that are older. */
  send(method: string, params?: unknown[]): Promise<unknown> {
    return this.request(params === undefined ? { method } : { method, params })
  }

  /** @deprecated since EIP-1193; here for clients that are older. */
  sendAsync(
    request: JsonRpcRequest,
    callback: (error: unknown, response: JsonRpcResponse) => void,
  ): void {
    const { id } = request
    const answered = this.send(request.method, request.params as unknown[] | undefined).then(
      (result): JsonRpcResponse => ({ jsonrpc: '2.0', id, result }),
      (error: unknown): JsonRpcResponse => ({ jsonrpc: '2.0', id, error: legacyError(error) }),
    )
    // Outside of the promise: what the callback throws must not be swallowed, nor call it again.
    void answered.then((response) => process.nextTick(callback, null, response))
  }

  close(): Promise<void> {
    this.#closing ??= this.#end()
    return this.#closing
  }

  async #end(): Promise<void> {
    for (const stop of this.#stops) stop()
    this.removeAllListeners()
    this.#connection.close()
    await this.#devnet.close()
  }

  async #ask({ id, method, params }: JsonRpcRequest): Promise<JsonRpcResponse> {
    const given = asJson(params ?? []) as unknown[]
    try {
      const result = await this.#connection.request(method, given)
      return { jsonrpc: '2.0', id, result: asJson(result ?? null) }
    } catch (error) {
      throw toProviderError(error)
    }
  }
}

/** As it would come over a wire: no `undefined`, no classes, nothing shared. Scalars are most answers. */
function asJson(value: unknown): unknown {
  return typeof value === 'object' && value !== null ? JSON.parse(JSON.stringify(value)) : value
}

function legacyError(error: unknown): { code: number; message: string; data: unknown } {
  if (!(error instanceof Error)) return { code: -1, message: String(error), data: undefined }
  const code = 'code' in error && typeof error.code === 'number' ? error.code : -1
  return { code, message: error.message, data: { stack: error.stack, name: error.name } }
}
