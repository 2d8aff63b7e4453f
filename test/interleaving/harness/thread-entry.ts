// A thread of the interleaver: waits for the next schedule, takes its part in it, and waits again.
// Authority on nothing; it never returns to its event loop between schedules, and main terminates it.

import { workerData } from 'node:worker_threads'
import { type MutantName, mutationsOf } from '../mutants.ts'
import type { MemoryBuffers } from './block-memory.ts'
import { runBlockSchedule } from './block-schedule.ts'
import { Gate } from './gate.ts'
import { LAW } from './laws.ts'
import { runListSchedule } from './list-schedule.ts'
import { runNoticeSchedule } from './notice-schedule.ts'
import { SCENARIO } from './scenarios.ts'
import { STAGE, type StageBuffers, takesPart } from './stage.ts'
import { runTableSchedule } from './table-schedule.ts'
import { drawPool } from './toy-pool.ts'
import { drawProgram } from './toy-program.ts'

export interface ThreadData {
  thread: number
  stage: StageBuffers
  memory: MemoryBuffers
  journal: SharedArrayBuffer
  mutant: MutantName | undefined
  /** The value of the epoch before the first schedule. */
  epoch: number
}

const { thread, stage, memory, journal, mutant, epoch } = workerData as ThreadData
const gate = new Gate(stage, thread)
const { words } = gate
const mutations = mutationsOf(mutant)

for (let seen = epoch; ; ) {
  Atomics.wait(words, STAGE.EPOCH, seen)
  const now = Atomics.load(words, STAGE.EPOCH)
  if (now === seen) continue
  seen = now
  if (!takesPart(thread, now)) continue
  gate.enter()
  try {
    await takePart()
  } catch (error) {
    gate.fail(LAW.works, error instanceof Error ? (error.stack ?? error.message) : String(error))
  }
  gate.leave()
}

async function takePart(): Promise<void> {
  switch (words[STAGE.SCENARIO]) {
    case SCENARIO.TABLE:
      runTableSchedule(memory, gate, mutations)
      return
    case SCENARIO.LISTS:
      runListSchedule(memory, gate, mutations)
      return
    case SCENARIO.NOTICE:
      runNoticeSchedule(memory, gate, mutations)
      return
    default: {
      const isPool = words[STAGE.SCENARIO] === SCENARIO.POOL
      const program = await (isPool ? drawPool : drawProgram)(words[STAGE.SEED])
      await runBlockSchedule(memory, program, gate, journal, mutations)
    }
  }
}
