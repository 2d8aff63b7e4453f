// eth_getLogs, filters and subscriptions.
// The authority on which logs a filter lets pass, and on what each kind of filter tells.

import { z } from 'zod'
import type { Log, SealedBlock } from '../../chain/sealed-block.ts'
import type { DevnetCore } from '../../core.ts'
import type { Hex } from '../../hex.ts'
import { invalidParams } from '../../rpc-error.ts'
import type { Watch } from '../connection-state.ts'
import { findLogs, isWanted, logQuery } from '../find-logs.ts'
import { headJson } from '../formats/block-json.ts'
import { logsOfBlock } from '../formats/receipt-json.ts'
import { type MethodContext, type MethodTable, method } from '../method-table.ts'
import { type LogFilter, logFilter, quantity } from '../schemas.ts'

export const logMethods: MethodTable = {
  eth_getLogs: method([logFilter], ({ core }, filter) => findLogs(core.chain, filter)),

  eth_newFilter: method([logFilter], async ({ core, connection }, filter) => {
    const watch = gather('logs', (push) => onLogs(core, filter, push))
    const all = () => findLogs(core.chain, filter)
    const id = connection.add(() => ({ ...watch, all }))
    try {
      // As on Hardhat's own network, it first tells of what is there already. Which blocks that are is
      // decided before the first pause, so none is told twice.
      watch.beginWith(await all())
    } catch (error) {
      connection.remove(BigInt(id))
      throw error
    }
    return id
  }),
  eth_newBlockFilter: method([], ({ core, connection }) =>
    connection.add(() => {
      const watch = gather('newHeads', (push) =>
        core.events.on('mined', ({ sealed }) => push(sealed.hash)),
      )
      watch.beginWith([core.chain.head.hash])
      return watch
    }),
  ),
  eth_newPendingTransactionFilter: method([], ({ core, connection }) =>
    connection.add(() =>
      gather('newPendingTransactions', (push) =>
        core.events.on('pooled', ({ hash }) => push(hash)),
      ),
    ),
  ),
  eth_getFilterChanges: method(
    [quantity],
    ({ connection }, id) => connection.get(id)?.changes?.() ?? null,
  ),
  eth_getFilterLogs: method([quantity], async ({ connection }, id) => {
    const watch = connection.get(id)
    if (watch === undefined) return null
    if (watch.all !== undefined) return watch.all()
    const name = `${watch.kind[0]?.toUpperCase()}${watch.kind.slice(1)}`
    throw invalidParams(`Subscription ${id} is not a Logs subscription, but a ${name} subscription`)
  }),
  eth_uninstallFilter: method([quantity], ({ connection }, id) => connection.remove(id)),

  eth_subscribe: method(
    [
      z.enum(['newHeads', 'logs', 'newPendingTransactions'], {
        errorMap: () => ({
          message: 'must be a subscription: newHeads, logs or newPendingTransactions',
        }),
      }),
      z.union([logFilter, z.boolean()]).nullish(),
    ],
    (context, kind, details) => subscribe(context, kind, details),
  ),
  eth_unsubscribe: method([quantity], ({ connection }, id) => connection.remove(id)),
}

function subscribe(
  { core, connection }: MethodContext,
  kind: Watch['kind'],
  details: LogFilter | boolean | null | undefined,
): Hex {
  if (kind === 'newHeads' && details != null) {
    throw invalidParams('Invalid params: newHeads takes no further parameter')
  }
  if (kind === 'logs' && typeof details === 'boolean') {
    throw invalidParams('Invalid params: parameter 2 must be an object with address and topics')
  }
  return connection.add((subscription) => {
    const notify = (result: unknown): void => connection.notify({ subscription, result })
    if (kind === 'newHeads') {
      return { kind, stop: core.events.on('mined', ({ sealed }) => notify(headJson(sealed))) }
    }
    if (kind === 'newPendingTransactions') {
      return { kind, stop: core.events.on('pooled', ({ hash }) => notify(hash)) }
    }
    const filter = typeof details === 'object' && details !== null ? details : {}
    return { kind, stop: onLogs(core, { address: filter.address, topics: filter.topics }, notify) }
  })
}

/** What a filter gathers; who asks too seldom gets the newest only. */
const MOST_GATHERED = 10_000
/**
 * ms after which a filter that nobody asks is gone, as with Hardhat: clients over HTTP leave without a
 * word, and what they leave behind must not cost anything for good.
 */
const PATIENCE_MS = 5 * 60_000

interface GatheringWatch extends Watch {
  /** What is there already, and is told first. */
  beginWith(items: readonly unknown[]): void
}

/** A filter: what happens is gathered until somebody asks. */
function gather(
  kind: Watch['kind'],
  listen: (push: (item: unknown) => void) => () => void,
): GatheringWatch {
  let gathered: unknown[] = []
  let lastAsked = performance.now()
  const asked = (): void => {
    lastAsked = performance.now()
  }
  const isForgotten = (): boolean => performance.now() - lastAsked > PATIENCE_MS
  const stop = listen((item) => {
    if (isForgotten()) {
      gathered = []
      stop()
      return
    }
    // Many at once: moving all others for each would keep the miner waiting.
    if (gathered.length >= MOST_GATHERED) gathered.splice(0, MOST_GATHERED / 2)
    gathered.push(item)
  })
  return {
    kind,
    stop,
    isForgotten,
    asked,
    beginWith: (items) => {
      gathered = [...items.slice(-MOST_GATHERED), ...gathered]
    },
    changes: () => {
      const changes = gathered
      gathered = []
      return changes
    },
  }
}

function onLogs(core: DevnetCore, filter: LogFilter, push: (log: unknown) => void): () => void {
  const query = logQuery(filter)
  const { fromBlock, toBlock } = filter
  const lowest = typeof fromBlock === 'bigint' ? fromBlock : 0n
  const highest = typeof toBlock === 'bigint' ? toBlock : undefined
  return core.events.on('mined', ({ sealed }: { sealed: SealedBlock }) => {
    const { number } = sealed.header
    if (number < lowest || (highest !== undefined && number > highest)) return
    const passes = (log: Log) => isWanted(query, log)
    for (const log of logsOfBlock(sealed, passes)) push(log)
  })
}
