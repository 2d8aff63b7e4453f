// One thread's part in a schedule of a toy block: the real worker loop over watched classes, or the
// main thread's part. Authority on how the pieces are put together.

import type { TxIndex } from '../../../src/ids.ts'
import { HALT, NO_SENDER, TRANSACTION, transactionIndex } from '../../../src/memory/layout.ts'
import { LocationTable } from '../../../src/mvcc/location-table.ts'
import { ReadSetRecorder } from '../../../src/mvcc/read-set.ts'
import { VersionStore } from '../../../src/mvcc/version-store.ts'
import { AdmissionGate } from '../../../src/scheduling/admission-gate.ts'
import { BlockStmScheduler } from '../../../src/scheduling/block-stm-scheduler.ts'
import { judgeVersions } from '../../../src/scheduling/judge-versions.ts'
import { PlannedOrder } from '../../../src/scheduling/planned-order.ts'
import { type BlockLoopOptions, runBlockLoop } from '../../../src/workers/block-loop.ts'
import { type MemoryBuffers, viewMemory } from './block-memory.ts'
import type { Gate } from './gate.ts'
import { Journal } from './journal.ts'
import type { Mutations } from './mutations.ts'
import { serveBases } from './served-bases.ts'
import { StatusWatch } from './status-watch.ts'
import { type ObserveWrite, steppedAtomics } from './stepped-atomics.ts'
import { toyLanes } from './toy-lanes.ts'
import { gasUsedBy } from './toy-pool.ts'
import type { ToyProgram } from './toy-program.ts'
import type { ToyContext } from './toy-runner.ts'
import { watchedJudge, watchedOrder, watchedScheduler, watchedStore } from './watched-classes.ts'

/** Runs to the end of the block. @throws the error for which the loop halted the block */
export async function runBlockSchedule(
  buffers: MemoryBuffers,
  program: ToyProgram,
  gate: Gate,
  journalBuffer: SharedArrayBuffer,
  mutations: Mutations,
): Promise<void> {
  let observe: ObserveWrite = () => {}
  const stepped = steppedAtomics(gate, (...write) => observe(...write))
  const atomics = mutations.atomics(stepped, buffers)
  const views = viewMemory(buffers, atomics)
  const { control, state, block, allocator } = views
  const journal = new Journal(journalBuffer, gate.words)
  const watch = new StatusWatch(gate, control, block, journal, program.terms !== undefined)
  observe = (...write) => watch.observe(...write)

  if (gate.me === program.workers) {
    serveBases(views, buffers, program, atomics, gate)
    return
  }
  const Store = watchedStore(mutations.store(VersionStore), watch, gate)
  const store = new Store(control, state, block, allocator, atomics)
  const judge = mutations.judge(judgeVersions(control, store, atomics))
  const Scheduler = watchedScheduler(mutations.scheduler(BlockStmScheduler), watch, gate)
  const order = watchedOrder(new PlannedOrder(control, block, atomics), program.plan, gate)
  const admission = AdmissionGate.of(control, store, atomics)
  const scheduler = new Scheduler(
    control,
    atomics,
    watchedJudge(judge, watch, gate),
    order,
    admission && mutations.admission(admission, buffers),
  )
  const Reads = mutations.reads(ReadSetRecorder)
  const context: ToyContext = {
    control,
    store,
    table: views.newTable(mutations.table(LocationTable, buffers)),
    allocator,
    atomics,
    addresses: buffers.addresses,
    newReads: () => new Reads(),
    blockGas: (transaction, observed) =>
      program.terms === undefined ? 0 : gasUsedBy(observed, program.terms.gasLimits[transaction]),
  }
  const options = {
    work: {
      context,
      scheduler,
      lanes: toyLanes(context, gate, journal),
      transaction: (index: number) => program.transactions[index],
      resumed: () => {},
      recoverSender: (index: TxIndex) => {
        const { sender } = program.transactions[index]
        const record =
          sender === undefined ? NO_SENDER : context.table.account(buffers.addresses[sender])
        atomics.store(control, transactionIndex(index, TRANSACTION.SENDER), record)
      },
    },
    worker: gate.me,
    workers: program.workers,
    lanes: program.lanes,
  }
  // The loop hands transactions to lanes unseen, and needs of the context what a toy's has.
  const failure = await runBlockLoop(options as unknown as BlockLoopOptions)
  if (failure !== undefined) throw failure
  if (scheduler.halted() === HALT.RUNNING) throw new Error('the loop left a running block')
}
