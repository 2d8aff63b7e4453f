// Who must wait for whom by sender alone: without the transaction before it a transaction's nonce is
// wrong, which is a dependency and not an error. Authority on nothing; a plan is advice.

import { NO_SENDER } from '../memory/layout.ts'
import type { Dependencies } from './planned-order.ts'

/** Each transaction waits for the nearest lower one with the same sender record. */
export function waitForSenders(senders: readonly number[]): Dependencies {
  const starts = new Int32Array(senders.length + 1)
  const targets: number[] = []
  const last = new Map<number, number>()
  for (const [index, sender] of senders.entries()) {
    const lower = sender === NO_SENDER ? undefined : last.get(sender)
    if (lower !== undefined) targets.push(lower)
    last.set(sender, index)
    starts[index + 1] = targets.length
  }
  return { starts, targets: Int32Array.from(targets) }
}
