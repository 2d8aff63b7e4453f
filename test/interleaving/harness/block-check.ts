// Holds what a schedule of a toy block left in memory to what sequential execution leaves.
// Authority on the laws about results, final state and version lists.

import { CodeCache } from '../../../src/execution/code-cache.ts'
import type { LaneWaits } from '../../../src/execution/lane-waits.ts'
import { OverlayStateManager } from '../../../src/execution/overlay-state-manager.ts'
import { StateView } from '../../../src/execution/state-view.ts'
import type { TxIndex } from '../../../src/ids.ts'
import { nativeAtomics } from '../../../src/memory/atomics.ts'
import {
  ACCOUNT,
  CONTROL,
  HALT,
  NODE,
  OUTCOME,
  SLOT,
  TOUCHED,
  TRANSACTION,
  transactionIndex,
} from '../../../src/memory/layout.ts'
import type { SharedRegion } from '../../../src/memory/shared-region.ts'
import { LocationTable } from '../../../src/mvcc/location-table.ts'
import { ReadSetRecorder } from '../../../src/mvcc/read-set.ts'
import { VersionStore } from '../../../src/mvcc/version-store.ts'
import { forEachWrite } from '../../../src/mvcc/write-set.ts'
import { STATE, stateOf } from '../../../src/scheduling/transaction-status.ts'
import { type MemoryBuffers, type MemoryViews, viewMemory, writeAllBases } from './block-memory.ts'
import { statusName } from './journal.ts'
import { LAW, type Law, type Violation } from './laws.ts'
import { ACCOUNTS, accountsAfter, KEYS, type ToyProgram } from './toy-program.ts'
import { OverlayWorld, slotKey } from './toy-world.ts'

/** Where a violation goes; a gate, for one. */
interface Fails {
  fail(law: Law, detail: string): never
}

class ViolationError extends Error {
  readonly violation: Violation
  constructor(violation: Violation) {
    super(violation.detail)
    this.violation = violation
  }
}

const throwing: Fails = {
  fail: (law, detail) => {
    throw new ViolationError({ law, detail })
  },
}

/** The first law that the memory breaks, if any. Only after all threads have ended. */
export async function checkBlock(
  buffers: MemoryBuffers,
  program: ToyProgram,
): Promise<Violation | undefined> {
  // The table may have records that nobody asked base values for.
  writeAllBases(buffers, program)
  const views = viewMemory(buffers, nativeAtomics)
  try {
    requireHalt(views.control, program)
    const committed = views.control[CONTROL.COMMITTED]
    for (let transaction = 0; transaction < committed; transaction++) {
      requireCommittedResult(views.control, views.block, program, transaction, throwing)
    }
    requireLists(views, program, committed)
    await requireState(buffers, views, program, committed)
  } catch (error) {
    if (error instanceof ViolationError) return error.violation
    const detail = error instanceof Error ? (error.stack ?? error.message) : String(error)
    return { law: LAW.state, detail }
  }
  return undefined
}

function requireHalt(control: Int32Array, program: ToyProgram): void {
  if (program.abortAfter !== undefined && control[CONTROL.HALT] === HALT.ABORTED) return
  const { committed, stopsAt = -1 } = program.expected
  if (stopsAt >= 0) {
    requireStop(control, stopsAt)
    return
  }
  const whole = committed === program.transactions.length
  const reason = whole ? HALT.DONE : HALT.INVALID_TRANSACTION
  const found = [
    control[CONTROL.HALT],
    control[CONTROL.HALT_TRANSACTION],
    control[CONTROL.COMMITTED],
  ]
  if (found.join() === [reason, committed, committed].join()) return
  throwing.fail(
    LAW.halt,
    `halt, its transaction and commit head are ${found}, not ${[reason, committed, committed]}`,
  )
}

/** Who looked for work before the stop may commit more, which nobody takes. */
function requireStop(control: Int32Array, stopsAt: number): void {
  const [halt, at] = [control[CONTROL.HALT], control[CONTROL.HALT_TRANSACTION]]
  if (halt === HALT.STOPPED && at === stopsAt && control[CONTROL.COMMITTED] > stopsAt) return
  throwing.fail(LAW.halt, `halt and its transaction are ${[halt, at]}, not a stop at ${stopsAt}`)
}

/** Also while others run: what is committed is final. */
export function requireCommittedResult(
  control: Int32Array,
  block: SharedRegion,
  program: ToyProgram,
  transaction: number,
  fails: Fails,
): void {
  const word = (field: number): number =>
    Atomics.load(control, transactionIndex(transaction, field))
  const status = word(TRANSACTION.STATUS)
  if (stateOf(status) !== STATE.COMMITTED) {
    fails.fail(LAW.order, `transaction ${transaction} is ${statusName(status)}, not committed`)
  }
  const outcome = word(TRANSACTION.OUTCOME)
  const wanted = program.expected.outcomes?.[transaction] ?? OUTCOME.RESULT
  if (outcome !== wanted) {
    fails.fail(LAW.results, `transaction ${transaction} has outcome ${outcome}, not ${wanted}`)
  }
  if (outcome !== OUTCOME.RESULT) return
  const at = word(TRANSACTION.RESULT)
  const length = block.reach(at)[at]
  const observed = [...block.reach(at + length).subarray(at + 1, at + 1 + length)]
  const expected = program.expected.observed[transaction]
  if (expected === undefined || observed.join() !== expected.join()) {
    fails.fail(
      LAW.results,
      `transaction ${transaction} observed [${observed}] and sequentially [${expected}]`,
    )
  }
  const level = word(TRANSACTION.LEVEL)
  if (level < 1 || level > transaction + 1) {
    fails.fail(LAW.results, `transaction ${transaction} has level ${level}`)
  }
}

function requireLists(views: MemoryViews, program: ToyProgram, committed: number): void {
  const { control, state, block } = views
  const remembered = new Set<number>()
  for (let entry = control[CONTROL.TOUCHED_LOCATIONS]; entry !== 0; ) {
    const words = block.reach(entry + TOUCHED.WORDS)
    const location = words[entry + TOUCHED.LOCATION]
    if (remembered.has(location)) throwing.fail(LAW.lists, `location ${location} is there twice`)
    remembered.add(location)
    entry = words[entry + TOUCHED.NEXT]
  }
  const nodes = new Map<number, number>()
  for (const location of locationsOf(views)) {
    let above = program.transactions.length
    const head = state.words[location]
    if ((head !== 0) !== remembered.has(location)) {
      throwing.fail(
        LAW.lists,
        `location ${location} has head ${head}, remembered: ${remembered.has(location)}`,
      )
    }
    for (let node = head; node !== 0; ) {
      const words = block.reach(node + NODE.WORDS)
      const transaction = words[node + NODE.TRANSACTION]
      if (transaction >= above || transaction < 0) {
        throwing.fail(LAW.lists, `location ${location}: transaction ${transaction} below ${above}`)
      }
      above = transaction
      nodes.set(node, location)
      node = words[node + NODE.NEXT]
    }
  }
  for (let transaction = 0; transaction < committed; transaction++) {
    const at = control[transactionIndex(transaction, TRANSACTION.WRITE_SET)]
    const outcome = control[transactionIndex(transaction, TRANSACTION.OUTCOME)]
    forEachWrite(block, at, (_kind, location, node) => {
      const payload = block.words[node + NODE.PAYLOAD]
      const isRight =
        outcome === OUTCOME.RESULT ? payload !== 0 && payload % 2 === 0 : payload === 0
      if (nodes.get(node) === location && isRight) return
      throwing.fail(
        LAW.lists,
        `transaction ${transaction} wrote location ${location}, whose version has payload ${payload}`,
      )
    })
  }
}

/** Every location that a toy program can write. */
function locationsOf(views: MemoryViews): number[] {
  const locations: number[] = []
  views.newTable(LocationTable).forEach((record, isSlot) => {
    if (isSlot) locations.push(record + SLOT.HEAD)
    else
      for (let head = ACCOUNT.EXISTS_HEAD; head <= ACCOUNT.RESET_HEAD; head++)
        locations.push(record + head)
  })
  return locations
}

async function requireState(
  buffers: MemoryBuffers,
  views: MemoryViews,
  program: ToyProgram,
  committed: number,
): Promise<void> {
  const { control, state, block, allocator } = views
  const store = new VersionStore(control, state, block, allocator, nativeAtomics)
  const table = views.newTable(LocationTable)
  const view = new StateView(store, new ReadSetRecorder(), noWaits, new CodeCache(), nativeAtomics)
  const overlay = new OverlayStateManager(table, view, (message) => message)
  const world = new OverlayWorld(overlay, buffers.addresses)
  const accounts = await accountsAfter(program, committed)
  overlay.begin(committed as TxIndex)
  for (let account = 0; account < ACCOUNTS; account++) {
    const expected = accounts.get(account)
    const found = [
      await world.exists(account),
      await world.nonce(account),
      await world.balance(account),
    ]
    const slots: number[] = []
    for (let key = 0; key < KEYS; key++) slots.push(await world.slot(account, key))
    const wanted = [
      expected !== undefined,
      expected?.nonce ?? 0,
      expected?.balance ?? 0,
      ...slots.map((_, key) => expected?.slots.get(key) ?? 0),
    ]
    if ([...found, ...slots].join() === wanted.join()) continue
    throwing.fail(
      LAW.state,
      `account ${account} is [${[...found, ...slots]}] and sequentially [${wanted}]`,
    )
  }
  requireIdentity(table, buffers.addresses)
}

function requireIdentity(table: LocationTable, addresses: readonly Uint8Array[]): void {
  const ids = new Set<number>()
  for (let account = 0; account < ACCOUNTS; account++) {
    const id = table.account(addresses[account])
    ids.add(id)
    for (let key = 0; key < KEYS; key++) ids.add(table.slot(id, slotKey(key)))
  }
  let records = 0
  table.forEach(() => {
    records++
  })
  if (ids.size !== ACCOUNTS * (1 + KEYS) || records !== ids.size) {
    throwing.fail(LAW.identity, `${ids.size} ids and ${records} records`)
  }
}

const refuse = async (): Promise<never> => {
  throw new ViolationError({ law: LAW.state, detail: 'an estimate is left above the block' })
}
const noWaits: LaneWaits = {
  account: refuse,
  slot: refuse,
  code: refuse,
  blockHash: refuse,
  transaction: refuse,
}
