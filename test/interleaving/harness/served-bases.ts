// Plays the main thread's part during a block: answers requests for base values, follows the commit
// head, and sleeps at its doorbell. It follows src/block step by step, with stepped atomics.
// It must not know more than the main thread does.

import type { RecordId } from '../../../src/ids.ts'
import type { AtomicOperations } from '../../../src/memory/atomics.ts'
import { setCommitNotice } from '../../../src/memory/commit-notice.ts'
import { mainMaySleep, ringAll } from '../../../src/memory/doorbell.ts'
import {
  ACCOUNT,
  BASE,
  CONTROL,
  HALT,
  REQUEST,
  REQUEST_KIND_BITS,
  ringIndex,
  SLOT,
} from '../../../src/memory/layout.ts'
import { WORDS_256, wordOfBytes } from '../../../src/memory/word-codec.ts'
import { publishPlan } from '../../../src/scheduling/planned-order.ts'
import { requireCommittedResult } from './block-check.ts'
import {
  type MemoryBuffers,
  type MemoryViews,
  publishList,
  writeBaseAccount,
  writeBaseSlot,
} from './block-memory.ts'
import type { Gate } from './gate.ts'
import type { ToyProgram } from './toy-program.ts'

const KIND_MASK = (1 << REQUEST_KIND_BITS) - 1

export function serveBases(
  views: MemoryViews,
  buffers: MemoryBuffers,
  program: ToyProgram,
  atomics: AtomicOperations,
  gate: Gate,
): void {
  const { control, state } = views
  const { addresses } = buffers
  let served = 0
  let followed = 0
  let planned = false

  const answer = (request: number): void => {
    const record = (request >>> REQUEST_KIND_BITS) as RecordId
    const words = state.reach(record + ACCOUNT.WORDS)
    if ((request & KIND_MASK) === REQUEST.ACCOUNT) {
      writeBaseAccount(state, record, program.base.get(accountOf(words, record, addresses)))
      atomics.store(state.words, record + ACCOUNT.STATUS, BASE.PRESENT)
      return
    }
    const account = accountOf(words, words[record + SLOT.ACCOUNT], addresses)
    const key = words[record + SLOT.KEY + WORDS_256 - 1]
    writeBaseSlot(state, record, program.base.get(account)?.slots.get(key) ?? 0)
    atomics.store(state.words, record + SLOT.STATUS, BASE.PRESENT)
  }

  const serve = (): void => {
    const before = served
    while (atomics.load(control, CONTROL.REQUEST_TAIL) !== served) {
      const index = ringIndex(served)
      let request = atomics.load(control, index)
      while (request === 0) {
        gate.stepAside()
        request = atomics.load(control, index)
      }
      atomics.store(control, index, 0)
      served++
      answer(request - 1)
    }
    if (served !== before) ringAll(atomics, control, program.workers)
  }

  /** What is committed is final, and can be read at once. */
  const follow = (): void => {
    for (;;) {
      while (followed < atomics.load(control, CONTROL.COMMITTED)) {
        requireCommittedResult(control, views.block, program, followed, gate)
        followed++
      }
      if (!setCommitNotice(atomics, control, followed + 1)) return
    }
  }

  /** Once all senders are known, the workers may execute. */
  const plan = (): void => {
    if (planned || atomics.load(control, CONTROL.RECOVERED) < program.transactions.length) return
    planned = true
    publishList(buffers, program)
    publishPlan(control, views.block, views.allocator, atomics, program.plan)
    ringAll(atomics, control, program.workers)
  }

  for (;;) {
    const bell = atomics.load(control, CONTROL.MAIN_BELL)
    serve()
    plan()
    follow()
    if (program.abortAfter !== undefined && followed >= program.abortAfter) {
      atomics.compareExchange(control, CONTROL.HALT, HALT.RUNNING, HALT.ABORTED)
      ringAll(atomics, control, program.workers)
    }
    if (atomics.load(control, CONTROL.HALT) !== HALT.RUNNING) return
    sleepAsMain(atomics, control, bell)
  }
}

/** The main thread's sleep, which is asynchronous in src/. */
export function sleepAsMain(atomics: AtomicOperations, control: Int32Array, bell: number): void {
  if (mainMaySleep(atomics, control, bell)) atomics.wait(control, CONTROL.MAIN_ASLEEP, 1)
  atomics.store(control, CONTROL.MAIN_ASLEEP, 0)
}

function accountOf(words: Int32Array, record: number, addresses: readonly Uint8Array[]): number {
  return addresses.findIndex((address) => {
    for (let i = 0; i < 5; i++) {
      if (words[record + ACCOUNT.ADDRESS + i] !== wordOfBytes(address, i)) return false
    }
    return true
  })
}
