// Runs stock's code when one of its events has been emitted already, so that listeners get it once.
// Authority on what of a listener's work stock's own preparation would undo. Restores what it replaces.

import type { VM } from '@ethereumjs/vm'

/** What stock's journal keeps for the transaction that runs; its types hide it. */
interface JournalInternals {
  journal: Map<string, Set<string>>
  alwaysWarmJournal: Map<string, Set<string>>
  touched: Set<string>
  cleanJournal(): void
}

/**
 * Runs `run` and keeps stock from emitting `topic` to listeners, once: what is emitted after that belongs
 * to a block that a listener has started. `instead` is called where the event would have been emitted.
 */
export async function withoutEvent<T>(
  vm: VM,
  topic: string,
  run: () => Promise<T>,
  instead: () => void = () => {},
): Promise<T> {
  const hidden = vm as { _emit: VM['_emit'] }
  const emit = hidden._emit
  hidden._emit = async (name, data) => {
    if (name !== topic) return emit.call(vm, name, data)
    hidden._emit = emit
    instead()
  }
  try {
    return await run()
  } finally {
    hidden._emit = emit
  }
}

/** Whether listeners have warmed or touched something since stock's journal was last emptied. */
export function isJournalUsed(vm: VM): boolean {
  const { journal, alwaysWarmJournal, touched } = vm.evm.journal as unknown as JournalInternals
  return journal.size > 0 || alwaysWarmJournal.size > 0 || touched.size > 0
}

/**
 * Runs a transaction whose `beforeTx` listeners have run already. Stock empties its journal before
 * it announces; what listeners warmed and touched since then belongs to the transaction.
 */
export function runAnnounced(vm: VM, run: () => Promise<void>): Promise<void> {
  const internals = vm.evm.journal as unknown as JournalInternals
  const { journal, alwaysWarmJournal, touched } = internals
  internals.cleanJournal()
  return withoutEvent(vm, 'beforeTx', run, () =>
    Object.assign(internals, { journal, alwaysWarmJournal, touched }),
  )
}
