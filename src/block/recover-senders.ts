// Senders of transactions that are in no block yet, for whoever pools them: found with the fastest library
// of the thread. Authority on nothing; what it does not find, ethereumjs finds when it is asked.

import type { TypedTransaction } from '@ethereumjs/tx'
import { recoverAhead } from './recover-ahead.ts'

/**
 * Recovers the senders of signed transactions that do not know them yet, and leaves them where ethereumjs
 * looks first, so that `getSenderAddress()` costs next to nothing. Never rejects: a signature that is not
 * valid is left to ethereumjs, which says so.
 */
export async function recoverSenders(transactions: readonly TypedTransaction[]): Promise<void> {
  await recoverAhead(transactions, undefined)
}
