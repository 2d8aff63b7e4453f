// Stock's interpreter class and the parts of it that are not exported, as types.
// Authority on whether the interpreter found at run time is the one that our stepping was written for.
// Must not change it.

import { createHash } from 'node:crypto'
import { type Common, createCustomCommon, Hardfork, Mainnet } from '@ethereumjs/common'
import { createEVM, type EVMError, type EVMRunCodeOpts, getOpcodesForHF } from '@ethereumjs/evm'
import type { Account, Address } from '@ethereumjs/util'
import { internalError } from '../errors.ts'
import type { SpeculativeEvm } from './speculation.ts'

/** A frame's stack; `_store` may hold more than the `_len` words that count. */
export interface StackLike {
  _store: bigint[]
  _len: number
  _maxHeight: number
}

/** A frame's memory; `_store` is at least as long as what was touched. */
export interface MemoryLike {
  _store: Uint8Array
  extend(offset: number, size: number): void
  read(offset: number, size: number, avoidCopy?: boolean): Uint8Array
}

/** The state of a frame that the opcode handlers share. */
export interface RunStateLike {
  programCounter: number
  opCode: number
  memory: MemoryLike
  /** Words that memory gas was paid for. */
  memoryWordCount: bigint
  highestMemCost: bigint
  stack: StackLike
  code: Uint8Array
  validJumps: Uint8Array
  gasLeft: bigint
  returnBytes: Uint8Array
  stateManager: unknown
  interpreter: InterpreterLike
  env: {
    contract: Account
    address: Address
    caller: Address
    callValue: bigint
    code: Uint8Array
    callData: Uint8Array
    isStatic: boolean
    eof?: unknown
    accessWitness?: unknown
  }
}

export interface OpcodeEntry {
  opcodeInfo: {
    code: number
    fee: number
    isAsync: boolean
    dynamicGas: boolean
    isInvalid: boolean
  }
  opHandler: (runState: RunStateLike, common: Common) => unknown
  gasHandler: ((runState: RunStateLike, gas: bigint, common: Common) => unknown) | undefined
}

export interface EvmLike extends SpeculativeEvm {
  DEBUG: boolean
  events: { listenerCount(name: string): number }
  _opcodeMap: OpcodeEntry[]
  _customOpcodes: readonly unknown[] | undefined
}

/** Warm slots by account (EIP-2929), both as hex without prefix. */
export interface JournalLike {
  journal: Map<string, Set<string>>
  alwaysWarmJournal: Map<string, Set<string>>
  addWarmedStorage(address: Uint8Array, key: Uint8Array): void
}

export interface InterpreterLike {
  common: Common
  profilerOpts: { enabled: boolean } | undefined
  _evm: EvmLike
  _env: RunStateLike['env']
  _runState: RunStateLike
  _result: { returnValue: Uint8Array | undefined }
  journal: JournalLike
  refundGas(amount: bigint): void
  subRefund(amount: bigint): void
  storageLoad(key: Uint8Array): Promise<Uint8Array>
  log(data: Uint8Array, numberOfTopics: number, topics: Uint8Array[]): void
}

export interface RunOptions {
  pc?: number
}
export interface RunOutcome {
  runState: RunStateLike
  exceptionError: EVMError | undefined
}

export interface InterpreterPrototype {
  run(this: InterpreterLike, code: Uint8Array, options?: RunOptions): Promise<RunOutcome>
  runStep(this: InterpreterLike, entry?: OpcodeEntry): Promise<void>
  useGas(this: InterpreterLike, amount: bigint, context?: unknown): void
  _baseCall(
    this: InterpreterLike,
    message: { value: bigint; delegatecall?: boolean },
  ): Promise<bigint>
  create(
    this: InterpreterLike,
    gasLimit: bigint,
    value: bigint,
    ...rest: unknown[]
  ): Promise<bigint>
}

/** What stepping relies on: classes as their prototypes. */
export interface StockInterpreter {
  prototype: InterpreterPrototype
  stack: object
  memory: object
  journal: object
  /** Handlers and gas handlers by opcode. */
  tables: ReadonlyMap<number, unknown>[]
}

/** The class is not exported; an opcode of our own sees an instance of it. */
export async function findStockInterpreter(): Promise<StockInterpreter> {
  const common = createCustomCommon({ chainId: 1 }, Mainnet, { hardfork: Hardfork.Berlin })
  let found: Omit<StockInterpreter, 'tables'> | undefined
  const evm = await createEVM({
    common,
    customOpcodes: [
      {
        opcode: 0x21,
        opcodeName: 'SEEK',
        baseFee: 0,
        logicFunction: (runState) => {
          const { interpreter, stack, memory } = runState as unknown as RunStateLike
          found = {
            prototype: Object.getPrototypeOf(interpreter) as InterpreterPrototype,
            stack: Object.getPrototypeOf(stack) as object,
            memory: Object.getPrototypeOf(memory) as object,
            journal: Object.getPrototypeOf(interpreter.journal) as object,
          }
        },
      },
    ],
  })
  const run: EVMRunCodeOpts = { code: Uint8Array.of(0x21), gasLimit: 100n }
  await evm.runCode(run)
  if (found === undefined) throw internalError('the interpreter could not be found')
  // Only now does the Common have the fees that making the tables asks for.
  const { handlers, dynamicGasHandlers } = getOpcodesForHF(common)
  return { ...found, tables: [handlers, dynamicGasHandlers] }
}

/**
 * A digest of the source text of the interpreter, its stack, memory and journal, and of all opcode and gas
 * handlers. Call it before anything of them is replaced.
 */
export function fingerprint(stock: StockInterpreter): string {
  const hash = createHash('sha256')
  for (const object of [stock.prototype, stock.stack, stock.memory, stock.journal]) {
    for (const [name, { value, get }] of Object.entries(Object.getOwnPropertyDescriptors(object))) {
      hash.update(`${name}=${String(value ?? get)}\n`)
    }
  }
  for (const table of stock.tables) {
    for (const [opcode, handler] of table) hash.update(`${opcode}:${String(handler)}\n`)
  }
  return hash.digest('hex')
}
