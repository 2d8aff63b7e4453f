// What of a block's result is compared with stock's, and how a difference is put into words.
// The authority on when two results count as equal in the benchmark.
// Must not compare timings or live objects, only what consensus sees.
import type { TypedTransaction } from '@ethereumjs/tx'
import { bytesToHex } from '@ethereumjs/util'
import { encodeReceipt, type RunBlockResult } from '@ethereumjs/vm'

export interface BlockOutcome {
  readonly stateRoot: string
  readonly receiptsRoot: string
  readonly logsBloom: string
  readonly gasUsed: string
  readonly requestsHash: string
  /** Encoded as they go into the receipts trie, in the order of the transactions. */
  readonly receipts: readonly string[]
  /** How many transactions ended in an exception; generated workloads must have none. */
  readonly failedTransactions: number
}

export function outcomeOf(
  result: RunBlockResult,
  transactions: readonly TypedTransaction[],
): BlockOutcome {
  return {
    stateRoot: bytesToHex(result.stateRoot),
    receiptsRoot: bytesToHex(result.receiptsRoot),
    logsBloom: bytesToHex(result.logsBloom),
    gasUsed: result.gasUsed.toString(),
    requestsHash: result.requestsHash === undefined ? 'none' : bytesToHex(result.requestsHash),
    receipts: result.receipts.map((receipt, index) => {
      const transaction = transactions[index]
      return transaction === undefined
        ? 'a receipt without a transaction'
        : bytesToHex(encodeReceipt(receipt, transaction.type))
    }),
    failedTransactions: result.results.filter(
      ({ execResult }) => execResult.exceptionError !== undefined,
    ).length,
  }
}

const COMPARED = ['stateRoot', 'receiptsRoot', 'logsBloom', 'gasUsed', 'requestsHash'] as const

const LABELS: Record<(typeof COMPARED)[number], string> = {
  stateRoot: 'state root',
  receiptsRoot: 'receipts root',
  logsBloom: 'logs bloom',
  gasUsed: 'gas used',
  requestsHash: 'requests hash',
}

/** One phrase for each difference; none means equal. */
export function describeDifferences(expected: BlockOutcome, actual: BlockOutcome): string[] {
  const differences: string[] = []
  for (const field of COMPARED) {
    if (expected[field] === actual[field]) continue
    differences.push(
      `${LABELS[field]} is ${shorten(actual[field])} instead of ${shorten(expected[field])}`,
    )
  }
  if (expected.receipts.length !== actual.receipts.length) {
    differences.push(
      `there are ${actual.receipts.length} receipts instead of ${expected.receipts.length}`,
    )
  }
  const differing = expected.receipts.findIndex(
    (receipt, index) => index < actual.receipts.length && receipt !== actual.receipts[index],
  )
  if (differing !== -1) differences.push(`the receipt of transaction ${differing} differs`)
  return differences
}

function shorten(text: string): string {
  return text.length > 22 ? `${text.slice(0, 22)}…` : text
}
