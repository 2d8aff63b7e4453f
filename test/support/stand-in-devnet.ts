// A devnet without a chain, for tests of what serves one: it answers from a table and mines on demand.
// The authority on nothing about chains; it keeps the contract's promises on connections and events.
// Must not be slow or random.
import type {
  Devnet,
  DevnetConnection,
  DevnetEvents,
  MinedBlock,
  SubscriptionNotification,
} from '../../plugin/devnet/devnet-contract.ts'
import { RpcError } from '../../plugin/devnet/rpc-error.ts'

export type Method = (params: readonly unknown[], standIn: StandInDevnet) => unknown

export interface StandInDevnet extends Devnet {
  /** Connections that were made and not closed. */
  readonly open: number
  readonly isClosed: boolean
  pooled: number
  /** Announces a block, and tells subscribers of `newHeads`. */
  mine(block?: Partial<MinedBlock>): void
  log(line: string): void
  revert(): void
  /** To all connections, whatever they subscribed to. */
  notify(notification: SubscriptionNotification): void
  readonly requests: { method: string; params: readonly unknown[] }[]
}

export const KNOWN_ACCOUNT = {
  address: '0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266',
  privateKey: '0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80',
  balance: 10_000n * 10n ** 18n,
}

export function createStandInDevnet(methods: Readonly<Record<string, Method>> = {}): StandInDevnet {
  const listeners: { [Name in keyof DevnetEvents]: Set<DevnetEvents[Name]> } = {
    block: new Set(),
    log: new Set(),
    reverted: new Set(),
  }
  const notified = new Set<(notification: SubscriptionNotification) => void>()
  const requests: StandInDevnet['requests'] = []
  let open = 0
  let isClosed = false
  let blockNumber = 0n
  let nextSubscription = 1

  const connect = (): DevnetConnection => {
    open++
    let isOpen = true
    const own = new Set<(notification: SubscriptionNotification) => void>()
    const subscriptions = new Set<string>()
    const table: Record<string, Method> = {
      eth_chainId: () => '0x7a69',
      eth_blockNumber: () => `0x${blockNumber.toString(16)}`,
      eth_accounts: () => [KNOWN_ACCOUNT.address],
      web3_clientVersion: () => 'HardhatNetwork/stand-in',
      hardhat_metadata: () => ({ clientVersion: 'stand-in', chainId: 31337, instanceId: '0x1' }),
      hardhat_getAutomine: () => true,
      eth_subscribe: () => {
        const subscription = `0x${(nextSubscription++).toString(16)}`
        subscriptions.add(subscription)
        // At once, before the client can know the id.
        for (const listener of own) listener({ subscription, result: 'first' })
        return subscription
      },
      evm_revert: () => {
        standIn.revert()
        return true
      },
      test_echo: (params) => params,
      ...methods,
    }
    const tell = (notification: SubscriptionNotification): void => {
      for (const listener of own) listener(notification)
    }
    const tellSubscriptions = (block: MinedBlock): void => {
      for (const subscription of subscriptions) {
        tell({ subscription, result: { number: `0x${block.number.toString(16)}` } })
      }
    }
    notified.add(tell)
    listeners.block.add(tellSubscriptions)
    return {
      request: async (method, params = []) => {
        requests.push({ method, params })
        const answer = table[method]
        if (answer === undefined) throw new RpcError(-32004, `Method ${method} is not supported`)
        return answer(params, standIn)
      },
      onNotification: (listener) => {
        own.add(listener)
        return () => own.delete(listener)
      },
      close: () => {
        if (isOpen) open--
        isOpen = false
        notified.delete(tell)
        listeners.block.delete(tellSubscriptions)
      },
    }
  }

  const standIn: StandInDevnet = {
    connect,
    on: (event, listener) => {
      listeners[event].add(listener)
      return () => listeners[event].delete(listener)
    },
    accounts: [KNOWN_ACCOUNT],
    chainId: 31337,
    pooled: 0,
    requests,
    get open() {
      return open
    },
    get isClosed() {
      return isClosed
    },
    mine: (given = {}) => {
      blockNumber++
      const block: MinedBlock = {
        number: blockNumber,
        hash: `0x${blockNumber.toString(16).padStart(64, '0')}`,
        transactions: 0,
        gasUsed: 0n,
        buildMs: 1,
        reExecutions: 0,
        ...given,
      }
      for (const listener of listeners.block) listener(block)
    },
    log: (line) => {
      for (const listener of listeners.log) listener(line)
    },
    revert: () => {
      for (const listener of listeners.reverted) listener()
    },
    notify: (notification) => {
      for (const tell of notified) tell(notification)
    },
    close: async () => {
      isClosed = true
    },
  }
  return standIn
}
