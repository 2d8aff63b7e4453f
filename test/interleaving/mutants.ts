// Known ways to be wrong, each as a change around the classes of src/. The interleaver must find each.
// Authority on what the mutants do; by which law each is caught is in mutants.test.ts.

import { BASE_WRITER, type LocationId, type RecordId, type TxIndex } from '../../src/ids.ts'
import type { AtomicOperations } from '../../src/memory/atomics.ts'
import { CONTROL, OUTCOME, TRANSACTION, transactionIndex } from '../../src/memory/layout.ts'
import type { ReadSetRecorder } from '../../src/mvcc/read-set.ts'
import { FOUND, type Found } from '../../src/mvcc/version-store.ts'
import type { Admission } from '../../src/scheduling/admission-gate.ts'
import { incarnationOf, STATE, stateOf } from '../../src/scheduling/transaction-status.ts'
import { type MutantContext, type Mutations, NO_MUTATIONS } from './harness/mutations.ts'

const MUTANTS = {
  /** Validation that finds nothing wrong, ever. */
  'agreeing-validator': {
    judge: (judge) => ({ ...judge, refutes: () => false }),
  },
  /** An abort that leaves values where estimates belong. */
  'lost-estimate': {
    judge: (judge) => ({ ...judge, markEstimates: () => {} }),
  },
  'skipped-execution-rewind': {
    atomics: (atomics, context) => withoutLowering(atomics, context, CONTROL.EXECUTION_CURSOR),
  },
  'skipped-validation-rewind': {
    atomics: (atomics, context) => withoutLowering(atomics, context, CONTROL.VALIDATION_CURSOR),
  },
  /** An incarnation that tells nobody of the locations that it wrote for the first time. */
  'untold-write': {
    scheduler: (Base) =>
      class extends Base {
        override finish(transaction: TxIndex): void {
          super.finish(transaction, false)
        }
      },
  },
  /** A wait that ends whether or not what it waits for is there. */
  'stale-wake-up': {
    scheduler: (Base) =>
      class extends Base {
        override isSettled(): boolean {
          return true
        }
      },
  },
  /** A reader that, once woken, goes on with what it had seen before. */
  'no-second-look': {
    store: (Base) => {
      return class extends Base {
        #seen = 0
        override find(location: LocationId, reader: TxIndex): Found {
          const found = super.find(location, reader)
          if (found !== FOUND.ESTIMATE) return found
          if (this.#seen !== location) {
            this.#seen = location
            return found
          }
          this.#seen = 0
          return FOUND.VERSION
        }
      }
    },
  },
  /** A table that takes a hash for the key. */
  'hash-for-key': {
    table: (Base, { addresses }) =>
      class extends Base {
        override account(address: Uint8Array): RecordId {
          return super.account(sameBytes(address, addresses[1]) ? addresses[0] : address)
        }
      },
  },
  /** A read set without the reads that found nothing in the block. */
  'unrecorded-miss': {
    reads: (Base) =>
      class extends Base {
        override recordSlot(...read: Parameters<ReadSetRecorder['recordSlot']>): void {
          if (read[1] !== BASE_WRITER) super.recordSlot(...read)
        }
      },
  },
  /** Versions of locations that the next incarnation no longer writes stay. */
  'lost-withdrawal': {
    store: (Base) =>
      class extends Base {
        override withdraw(): void {}
      },
  },
  /** A first incarnation that publishes as if no list had said what it writes. */
  'unseen-list': {
    atomics: (atomics, { control }) => ({
      ...atomics,
      load: (words, index) => {
        const isSet = words.buffer === control && isField(index, TRANSACTION.WRITE_SET)
        const status = isSet ? words[index - TRANSACTION.WRITE_SET + TRANSACTION.STATUS] : 0
        const isFirst = stateOf(status) === STATE.EXECUTING && incarnationOf(status) === 0
        return isFirst ? 0 : atomics.load(words, index)
      },
    }),
  },
  /** A ring that wakes nobody. */
  'lost-ring': {
    atomics: (atomics) => ({ ...atomics, notify: () => 0 }),
  },
  /** A main thread that does not look whether its notice was passed while it set it. */
  'unseen-pass': {
    atomics: (atomics, { control }) => {
      let isSet = false
      return {
        ...atomics,
        store: (words, index, value) => {
          isSet = words.buffer === control && index === CONTROL.COMMIT_NOTICE
          return atomics.store(words, index, value)
        },
        load: (words, index) => {
          const looksAgain = isSet && words.buffer === control && index === CONTROL.COMMITTED
          isSet = false
          return looksAgain ? 0 : atomics.load(words, index)
        },
      }
    },
  },
  /** A deferred transaction that nobody remembers. */
  'lost-deferral': {
    atomics: (atomics, { control }) => ({
      ...atomics,
      compareExchange: (words, index, expected, replacement) => {
        const remembers =
          words.buffer === control && isField(index, TRANSACTION.DEFERRED) && replacement !== 0
        return remembers ? expected : atomics.compareExchange(words, index, expected, replacement)
      },
    }),
  },
  /** Everybody gets the commit lock. */
  'open-commit-lock': {
    atomics: (atomics, { control }) => ({
      ...atomics,
      compareExchange: (words, index, expected, replacement) => {
        const isLock = words.buffer === control && index === CONTROL.COMMIT_LOCK
        return isLock ? 0 : atomics.compareExchange(words, index, expected, replacement)
      },
    }),
  },
  /** A status transition that compares the state and not the incarnation. */
  'forgotten-incarnation': {
    atomics: (atomics, { control }) => ({
      ...atomics,
      compareExchange: (words, index, expected, replacement) => {
        if (words.buffer !== control || !isField(index, TRANSACTION.STATUS)) {
          return atomics.compareExchange(words, index, expected, replacement)
        }
        const current = atomics.load(words, index)
        const assumed = stateOf(current) === stateOf(expected) ? current : expected
        const seen = atomics.compareExchange(words, index, assumed, replacement)
        return seen === assumed ? expected : seen
      },
    }),
  },
  /** Insertion by looking and then storing: of two that meet, one is lost. */
  'torn-insertion': {
    atomics: (atomics, { state, buckets }) => ({
      ...atomics,
      compareExchange: (words, index, expected, replacement) => {
        if (words.buffer !== state && words.buffer !== buckets) {
          return atomics.compareExchange(words, index, expected, replacement)
        }
        const seen = atomics.load(words, index)
        if (seen === expected) atomics.store(words, index, replacement)
        return seen
      },
    }),
  },
  /** A gate that lets everything in. */
  'open-gate': {
    admission: (admission) => forward(admission, { admits: () => true }),
  },
  /** A gate that leaves what a transaction wrote that does not fit. */
  'kept-refusal': {
    admission: (admission, { control }) => {
      const words = new Int32Array(control)
      return forward(admission, {
        refused: (transaction) => {
          Atomics.store(words, transactionIndex(transaction, TRANSACTION.OUTCOME), OUTCOME.REFUSED)
        },
      })
    },
  },
  /** A gate that counts nothing. */
  'uncounted-gas': {
    admission: (admission) => forward(admission, { admitted: () => {} }),
  },
} satisfies Record<string, Partial<Mutations>>

export type MutantName = keyof typeof MUTANTS
export const MUTANT_NAMES = Object.keys(MUTANTS) as MutantName[]

function forward(admission: Admission, changed: Partial<Admission>): Admission {
  return {
    admits: (transaction) => admission.admits(transaction),
    admitted: (transaction) => admission.admitted(transaction),
    refused: (transaction) => admission.refused(transaction),
    stopsAfter: (transaction, outcome) => admission.stopsAfter(transaction, outcome),
    ...changed,
  }
}

/** The mutations of a mutant, or none. */
export function mutationsOf(name: MutantName | undefined): Mutations {
  return name === undefined ? NO_MUTATIONS : { ...NO_MUTATIONS, ...MUTANTS[name] }
}

/** Pretends that lowering `cursor` has worked. */
function withoutLowering(
  atomics: AtomicOperations,
  { control }: MutantContext,
  cursor: number,
): AtomicOperations {
  return {
    ...atomics,
    compareExchange: (words, index, expected, replacement) => {
      const lowers = words.buffer === control && index === cursor && replacement < expected
      return lowers ? expected : atomics.compareExchange(words, index, expected, replacement)
    },
  }
}

function isField(index: number, field: number): boolean {
  const first = transactionIndex(0, field)
  const stride = transactionIndex(1, field) - first
  return index >= first && (index - first) % stride === 0
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.every((byte, i) => byte === b[i])
}
