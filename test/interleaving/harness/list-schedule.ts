// Threads publish, mark and withdraw versions at the same few locations, and read in between.
// Authority on the law of lists without a scheduler: each thread has transactions of its own.

import type { Incarnation, LocationId, TxIndex } from '../../../src/ids.ts'
import { nativeAtomics } from '../../../src/memory/atomics.ts'
import {
  CONTROL,
  LOCATION,
  NODE,
  PAYLOAD,
  TOUCHED,
  VERSION_KIND,
} from '../../../src/memory/layout.ts'
import { WORDS_256, writeUint256 } from '../../../src/memory/word-codec.ts'
import { FOUND, VersionStore } from '../../../src/mvcc/version-store.ts'
import { type MemoryBuffers, viewMemory } from './block-memory.ts'
import type { Gate } from './gate.ts'
import { LAW, type Violation } from './laws.ts'
import type { Mutations } from './mutations.ts'
import { Random } from './random.ts'
import { STAGE } from './stage.ts'
import { nobodyObserves, steppedAtomics } from './stepped-atomics.ts'

const LOCATIONS = 2
const TRANSACTIONS = 8
const ACTIONS = 8
const STATE = { ABSENT: 0, VALUE: 1, ESTIMATE: 2, WITHDRAWN: 3 } as const

/** The control region beyond the header is unused here: what each thread left at each version. */
function leftIndex(location: number, transaction: number): number {
  return 64 + (location * TRANSACTIONS + transaction) * 2
}

/** The list heads lie where records would. */
function headOf(location: number): LocationId {
  return (32 + location) as LocationId
}

/** Main's part before a schedule. */
export function prepareLists(buffers: MemoryBuffers): void {
  const words = new Int32Array(buffers.state)
  for (let location = 0; location < LOCATIONS; location++) words[headOf(location)] = 0
}

export function runListSchedule(buffers: MemoryBuffers, gate: Gate, mutations: Mutations): void {
  const atomics = mutations.atomics(steppedAtomics(gate, nobodyObserves), buffers)
  const { control, state, block, allocator } = viewMemory(buffers, atomics)
  const Store = mutations.store(VersionStore)
  const store = new Store(control, state, block, allocator, atomics)
  const random = new Random(gate.words[STAGE.SEED] * 31 + gate.me)
  const threads = gate.words[STAGE.THREADS]
  const nodes = new Map<number, ReturnType<VersionStore['publish']>>()
  for (let action = 0; action < ACTIONS; action++) {
    const location = random.below(LOCATIONS)
    // A transaction has one holder.
    const slot = random.below(Math.floor(TRANSACTIONS / threads))
    const transaction = (gate.me + slot * threads) as TxIndex
    const left = leftIndex(location, transaction)
    const node = nodes.get(left)
    const leave = (what: number, incarnation: number): void => {
      control[left] = what
      control[left + 1] = incarnation
    }
    switch (random.below(5)) {
      case 0:
        read(store, location, (1 + random.below(TRANSACTIONS)) as TxIndex, gate)
        break
      case 1:
        if (node !== undefined) {
          store.markEstimate(node)
          if (control[left] === STATE.VALUE) leave(STATE.ESTIMATE, control[left + 1])
        }
        break
      case 2:
        if (node !== undefined) {
          store.withdraw(node)
          leave(STATE.WITHDRAWN, control[left + 1])
        }
        break
      default: {
        const incarnation = control[left + 1] + 1
        const payload = store.allocatePayload(
          incarnation as Incarnation,
          VERSION_KIND.ADD,
          WORDS_256,
        )
        writeUint256(block.words, payload + PAYLOAD.VALUE, markedValue(transaction, incarnation))
        const published = store.publish(headOf(location), LOCATION.BALANCE, transaction, payload)
        if (node !== undefined && node !== published) {
          gate.fail(LAW.lists, `transaction ${transaction} has two versions at one location`)
        }
        nodes.set(left, published)
        leave(STATE.VALUE, incarnation)
      }
    }
  }
}

function markedValue(transaction: number, incarnation: number): bigint {
  return BigInt(transaction * 1000 + incarnation)
}

/** What a reader finds has one writer, below it, and that writer's value. */
function read(store: VersionStore, location: number, reader: TxIndex, gate: Gate): void {
  if (store.find(headOf(location), reader) !== FOUND.VERSION) return
  const { writer, incarnation, payload } = store
  const words = store.block.reach(payload + PAYLOAD.VALUE + WORDS_256)
  if (writer < reader && words[payload + PAYLOAD.VALUE] === writer * 1000 + incarnation) return
  gate.fail(
    LAW.found,
    `reader ${reader} found ${words[payload + PAYLOAD.VALUE]} of transaction ${writer}, incarnation ${incarnation}`,
  )
}

export function checkLists(buffers: MemoryBuffers): Violation | undefined {
  const { control, state, block, allocator } = viewMemory(buffers, nativeAtomics)
  const store = new VersionStore(control, state, block, allocator, nativeAtomics)
  const fails = (detail: string): Violation => ({ law: LAW.lists, detail })
  const remembered: number[] = []
  for (let entry = control[CONTROL.TOUCHED_LOCATIONS]; entry !== 0; ) {
    remembered.push(block.words[entry + TOUCHED.LOCATION])
    entry = block.words[entry + TOUCHED.NEXT]
  }
  const touched: number[] = []
  for (let location = 0; location < LOCATIONS; location++) {
    const listed: number[] = []
    for (let node = state.words[headOf(location)]; node !== 0; ) {
      listed.push(block.words[node + NODE.TRANSACTION])
      node = block.words[node + NODE.NEXT]
    }
    const published: number[] = []
    for (let transaction = TRANSACTIONS - 1; transaction >= 0; transaction--) {
      if (control[leftIndex(location, transaction)] !== STATE.ABSENT) published.push(transaction)
    }
    if (listed.join() !== published.join()) {
      return fails(`location ${location} lists [${listed}], and published were [${published}]`)
    }
    if (published.length > 0) touched.push(headOf(location))
    for (let reader = 0; reader <= TRANSACTIONS; reader++) {
      const wanted = expectedSum(control, location, reader)
      const found = store.sumBalance(headOf(location), reader as TxIndex)
      const sum = found === FOUND.ESTIMATE ? undefined : store.sum
      if (sum !== wanted) return fails(`reader ${reader} of ${location} sums ${sum}, not ${wanted}`)
    }
  }
  if (remembered.sort().join() === touched.sort().join()) return undefined
  return fails(`remembered are [${remembered}], and written were [${touched}]`)
}

/** Undefined where an estimate is in the way. */
function expectedSum(control: Int32Array, location: number, reader: number): bigint | undefined {
  let sum = 0n
  for (let transaction = reader - 1; transaction >= 0; transaction--) {
    const left = leftIndex(location, transaction)
    if (control[left] === STATE.ESTIMATE) return undefined
    if (control[left] === STATE.VALUE) sum += markedValue(transaction, control[left + 1])
  }
  return sum
}
