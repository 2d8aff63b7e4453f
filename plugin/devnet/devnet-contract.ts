// What a devnet is to whoever serves it: servers, the Hardhat network, tests.
// Authority on the seam between the chain with its JSON-RPC methods and its transports; types only.
// Must not know of HTTP, WebSocket or Hardhat.

import type { ContractResolver } from './tracing/failure/contract-resolver.ts'

/** Where a client's request comes from: filters and subscriptions belong to a connection. */
export interface DevnetConnection {
  /**
   * Answers one request.
   * @throws RpcError with code, message and data as JSON-RPC wants them
   */
  request(method: string, params?: readonly unknown[]): Promise<unknown>
  /** Hears of each `eth_subscription` notification of this connection. Returns how to stop. */
  onNotification(listener: (notification: SubscriptionNotification) => void): () => void
  /** Ends its filters and subscriptions. */
  close(): void
}

export interface SubscriptionNotification {
  /** Quantity in hex, as `eth_subscribe` returned it. */
  readonly subscription: string
  readonly result: unknown
}

/** A line of a node's log, and what metrics count. */
export interface MinedBlock {
  readonly number: bigint
  readonly hash: `0x${string}`
  readonly transactions: number
  readonly gasUsed: bigint
  /** Time that building took, in ms. */
  readonly buildMs: number
  readonly reExecutions: number
  /** Undefined where it was not run in parallel. */
  readonly workers?: number | undefined
  /**
   * How many times faster than one worker the workers were: the time in which they executed, summed
   * over them, through the time in which they did. Undefined where it was not run in parallel, or not
   * measured.
   */
  readonly speedUp?: number | undefined
}

export interface DevnetEvents {
  block: (block: MinedBlock) => void
  /** A line that a contract printed with `console.log`. */
  log: (line: string) => void
  /** After `evm_revert`. */
  reverted: () => void
}

export interface Devnet {
  connect(): DevnetConnection
  on<Name extends keyof DevnetEvents>(event: Name, listener: DevnetEvents[Name]): () => void
  /** Addresses with private keys (hex with 0x) and balances in wei, for printing. */
  readonly accounts: readonly { address: string; privateKey: string; balance: bigint }[]
  readonly chainId: number
  /** Transactions waiting to be mined. */
  readonly pooled: number
  close(): Promise<void>
}

export interface DevnetOptions {
  /** Default 31337. */
  readonly chainId?: number
  /** What `net_version` answers. Default: the chain id. */
  readonly networkId?: number
  /** Default: the newest that ethereumjs supports by default and Hardhat has (osaka). */
  readonly hardfork?: string
  readonly accounts?: {
    readonly mnemonic?: string
    readonly count?: number
    /** Of the mnemonic (BIP-39). Default: none. */
    readonly passphrase?: string
    /** BIP-32 path, which each account's index is added to. Default `m/44'/60'/0'/0`. */
    readonly path?: string
    /** Index of the first account. Default 0. */
    readonly initialIndex?: number
    /** Wei. Default 10,000 ETH. */
    readonly balance?: bigint
    /** Instead of a mnemonic. */
    readonly privateKeys?: readonly string[]
    /** Wei of each private key, instead of `balance`. */
    readonly balances?: readonly bigint[]
  }
  /** Default 60,000,000. */
  readonly blockGasLimit?: bigint
  /** Default: 2 and no more than cores. */
  readonly workers?: number
  readonly mining?: {
    /** Default true. */
    readonly auto?: boolean
    /** ms between blocks, or a range of them; 0 = none. Default 0. */
    readonly interval?: number | readonly [number, number]
    /** Default 'priority'. */
    readonly order?: 'priority' | 'fifo'
  }
  /** Directory to persist in (lmdb). Default: memory only. */
  readonly dataDir?: string
  readonly coinbase?: string
  readonly initialBaseFeePerGas?: bigint
  readonly initialDate?: Date
  readonly allowUnlimitedContractSize?: boolean
  /** Default false: blocks that are mined within a second still differ by one. */
  readonly allowBlocksWithSameTimestamp?: boolean
  readonly minGasPrice?: bigint
  /** As Hardhat's throwOnTransactionFailures / throwOnCallFailures. Default true. */
  readonly throwOnTransactionFailures?: boolean
  readonly throwOnCallFailures?: boolean
  /**
   * What `eth_estimateGas` makes sure of: that the call succeeds, or also that none of the calls that it
   * makes runs out of gas. Default 'noInternalOutOfGas', as Hardhat's.
   */
  readonly gasEstimationMode?: 'topLevelSuccess' | 'noInternalOutOfGas'
  /**
   * Finds the contract that some code belongs to, so that failures are told with the names of its errors
   * and functions. Asked for with each failure that they could explain. Default: nothing is known.
   */
  readonly contracts?: () => Promise<ContractResolver | undefined>
}
