// The logs that a filter asks for. The authority on matching, and on how many logs one answer has.

import type { Chain } from '../chain/chain.ts'
import type { LogQuery } from '../chain/log-index.ts'
import type { Log } from '../chain/sealed-block.ts'
import { hexOf } from '../hex.ts'
import { invalidParams, RPC_CODES, RpcError } from '../rpc-error.ts'
import { type LogJson, logsOfBlock } from './formats/receipt-json.ts'
import { pause } from './pause.ts'
import type { BlockTag, LogFilter } from './schemas.ts'

/** Logs that one answer has at most: 100,000 are some 60 MB of JSON. */
const MOST_LOGS = 100_000
/** Blocks between pauses, so that others get an answer meanwhile. */
const BLOCKS_AT_ONCE = 64

/** @throws RpcError for a filter that contradicts itself, or finds too much */
export async function findLogs(chain: Chain, filter: LogFilter): Promise<LogJson[]> {
  const query = logQuery(filter)
  const passes = (log: Log): boolean => isWanted(query, log)
  if (filter.blockHash != null) {
    if (filter.fromBlock != null || filter.toBlock != null) {
      throw invalidParams('blockHash is mutually exclusive with fromBlock/toBlock')
    }
    const sealed = chain.blockByHash(filter.blockHash)
    if (sealed === undefined) throw invalidParams('blockHash cannot be found')
    return logsOfBlock(sealed, passes)
  }
  const from = numberOf(chain, filter.fromBlock)
  const to = numberOf(chain, filter.toBlock)
  const found: LogJson[] = []
  const candidates = chain.logs.candidates(query, Number(from), Number(to))
  for (const [index, number] of candidates.entries()) {
    if (index % BLOCKS_AT_ONCE === BLOCKS_AT_ONCE - 1) await pause()
    const sealed = chain.block(BigInt(number))
    if (sealed === undefined) continue
    for (const log of logsOfBlock(sealed, passes)) found.push(log)
    if (found.length > MOST_LOGS) {
      throw new RpcError(
        RPC_CODES.limitExceeded,
        `The filter finds more than ${MOST_LOGS} logs; ask for fewer blocks at a time`,
      )
    }
  }
  return found
}

export function logQuery({ address, topics }: LogFilter): LogQuery {
  return {
    addresses: address == null ? [] : typeof address === 'string' ? [address] : address,
    topics: (topics ?? []).map((topic) => {
      if (topic === null) return []
      if (typeof topic === 'string') return [topic]
      // Anything passes where null is among the choices.
      const choices = topic.filter((it) => it !== null)
      return choices.length === topic.length ? choices : []
    }),
  }
}

export function isWanted({ addresses, topics }: LogQuery, log: Log): boolean {
  if (addresses.length > 0 && !addresses.includes(hexOf(log.address))) return false
  // A filter for more topics than the log has does not let it pass, whatever they are.
  if (topics.length > log.topics.length) return false
  return topics.every(
    (choices, place) =>
      choices.length === 0 || choices.includes(hexOf(log.topics[place] as Uint8Array)),
  )
}

function numberOf({ headNumber }: Chain, tag: BlockTag | null | undefined): bigint {
  if (typeof tag === 'bigint') return tag > headNumber ? headNumber + 1n : tag
  return tag === 'earliest' ? 0n : headNumber
}
