// The default tracer: one entry for each instruction, in the form that Hardhat answers.
// The authority on the fields of an entry and on which of them an option leaves out.
// Must not keep what an option leaves out: long traces fill the memory.
import type { InterpreterStep } from '@ethereumjs/evm'
import { bytesToHex } from '@ethereumjs/util'

import { invalidInput } from '../rpc-error.ts'
import { memoryKind } from './failure/out-of-gas.ts'
import { gethError, undefinedOpcode } from './geth-errors.ts'
import type { ExecutionObserver, Frame, FrameEnd } from './observe-execution.ts'
import { forwardedGas, isCall, isCreation, wordBytes } from './step-operands.ts'

export interface StructLogOptions {
  readonly disableStack: boolean
  readonly disableStorage: boolean
  readonly enableMemory: boolean
  readonly enableReturnData: boolean
  /** Entries; 0 = all. */
  readonly limit: number
}

export interface StructLog {
  pc: number
  op: string
  gas: number
  gasCost: number
  /** From 1. */
  depth: number
  error?: string
  stack?: string[]
  returnData?: string
  /** Words of 32 bytes. */
  memory?: string[]
  /** Slots of the account that were read or written so far, at reads and writes. */
  storage?: Record<string, string>
  refund: number
}

export interface StructTrace {
  readonly failed: boolean
  readonly gas: number
  readonly returnValue: string
  readonly structLogs: readonly StructLog[]
}

/** What the whole transaction ended with, for the tracers whose result has it. */
export interface TransactionEnd {
  readonly gasUsed: bigint
}

/** Some 500 MB. */
const mostEntries = 500_000

export class StructLogger implements ExecutionObserver {
  readonly #options: StructLogOptions
  readonly #logs: StructLog[] = []
  readonly #storage = new Map<string, Record<string, string>>()
  readonly #lastOf = new WeakMap<Frame, StructLog>()
  /** What each frame's last call gave back. */
  readonly #returned = new WeakMap<Frame, Uint8Array>()
  /** Takes back that the frame's last instruction has stored something. */
  readonly #unstored = new WeakMap<Frame, (log: StructLog) => void>()
  /** At each frame's last instruction. */
  readonly #refunds = new WeakMap<Frame, bigint>()
  #end: FrameEnd | undefined

  constructor(options: StructLogOptions) {
    this.#options = options
  }

  async step(step: InterpreterStep, frame: Frame): Promise<void> {
    const { opcode } = step
    const isUnpayable = memoryKind(opcode.code, step.stack) !== 'Basic'
    const own = isUnpayable ? BigInt(opcode.fee) : (opcode.dynamicFee ?? 0n)
    const log = this.#entry(frame, {
      pc: step.pc,
      op: nameOf(opcode),
      gas: step.gasLeft,
      gasCost: isCall(opcode.code) || isCreation(opcode.code) ? own + forwardedGas(step) : own,
      refund: this.#refundBefore(step, frame),
      stack: step.stack,
      memory: step.memory,
    })
    if (log === undefined) return
    this.#lastOf.set(frame, log)
    this.#unstored.delete(frame)
    const storage = await this.#storageAt(step, frame)
    if (storage !== undefined) log.storage = storage
  }

  exit(frame: Frame, end: FrameEnd): void {
    const { error } = end
    const last = this.#lastOf.get(frame)
    if (error === undefined) this.#implicitStop(frame, end)
    else if (error !== 'revert' && last !== undefined && !isOfDeposit(frame, end)) {
      last.error = gethError(frame, end)
      this.#unstored.get(frame)?.(last)
      const opcode = end.result?.runState?.opCode
      if (error === 'invalid opcode' && opcode !== undefined && opcode !== 0xfe) {
        last.op = undefinedOpcode(opcode)
      }
    }
    if (frame.parent === undefined) this.#end = end
    else if (frame.type !== 'SELFDESTRUCT') {
      const isKept = frame.type.startsWith('CREATE') ? error === 'revert' : !isFatal(error)
      this.#returned.set(frame.parent, isKept ? end.output : new Uint8Array(0))
    }
  }

  result({ gasUsed }: TransactionEnd): StructTrace {
    const error = this.#end?.error
    const output = this.#end?.output ?? new Uint8Array(0)
    return {
      failed: error !== undefined,
      gas: Number(gasUsed),
      returnValue: isFatal(error) ? '0x' : bytesToHex(output),
      structLogs: this.#logs,
    }
  }

  /** Code that ends without an instruction that ends it stops, which other clients show as a STOP. */
  #implicitStop(frame: Frame, { result }: FrameEnd): void {
    const state = result?.runState
    const last = frame.lastStep?.opcode.code
    if (last === undefined && frame.type.startsWith('CREATE') && frame.input.length === 0) {
      const none = { gasCost: 0n, refund: 0n, stack: [], memory: new Uint8Array(0) }
      this.#entry(frame, { pc: 0, op: 'STOP', gas: frame.gas, ...none })
    }
    if (state === undefined || last === undefined || endings.has(last)) return
    this.#entry(frame, {
      pc: state.programCounter,
      op: 'STOP',
      gas: state.gasLeft,
      gasCost: 0n,
      refund: state.gasRefund,
      stack: state.stack.getStack(),
      memory: state.memory._store.subarray(0, Number(state.memoryWordCount) * 32),
    })
  }

  /** The cost of a write is known before it is announced, and with that what it gives back. */
  #refundBefore({ opcode, gasRefund }: InterpreterStep, frame: Frame): bigint {
    const before = opcode.code === 0x55 ? this.#refunds.get(frame) : undefined
    this.#refunds.set(frame, gasRefund)
    return before ?? gasRefund
  }

  #entry(frame: Frame, at: EntryFields): StructLog | undefined {
    const { limit, disableStack, enableMemory, enableReturnData } = this.#options
    if (limit > 0 && this.#logs.length >= limit) return undefined
    if (this.#logs.length === mostEntries) {
      throw invalidInput(
        `The trace has more than ${mostEntries} entries: set a limit, or use the callTracer`,
      )
    }
    const log: StructLog = {
      pc: at.pc,
      op: at.op,
      gas: Number(at.gas),
      gasCost: Number(at.gasCost),
      depth: frame.depth + 1,
      refund: Number(at.refund),
    }
    if (!disableStack) log.stack = at.stack.map((item) => `0x${item.toString(16)}`)
    if (enableReturnData) {
      log.returnData = bytesToHex(this.#returned.get(frame) ?? new Uint8Array(0))
    }
    if (enableMemory) log.memory = wordsOf(at.memory)
    this.#logs.push(log)
    return log
  }

  async #storageAt(
    step: InterpreterStep,
    frame: Frame,
  ): Promise<Record<string, string> | undefined> {
    const { opcode, stack, address, stateManager } = step
    const isWrite = opcode.code === 0x55
    if (this.#options.disableStorage || (opcode.code !== 0x54 && !isWrite)) return undefined
    if (stack.length < (isWrite ? 2 : 1)) return undefined
    const slot = wordBytes(stack.at(-1)!)
    const value = isWrite ? stack.at(-2)! : await readSlot(stateManager, address, slot)
    const owner = address.toString()
    const storage = this.#storage.get(owner) ?? {}
    const name = bytesToHex(slot)
    const { [name]: before, ...others } = storage
    if (isWrite) {
      this.#unstored.set(frame, (log) => {
        const kept = before === undefined ? others : { ...storage, [name]: before }
        this.#storage.set(owner, kept)
        log.storage = { ...kept }
      })
    }
    storage[name] = bytesToHex(wordBytes(value))
    this.#storage.set(owner, storage)
    return { ...storage }
  }
}

interface EntryFields {
  readonly pc: number
  readonly op: string
  readonly gas: bigint
  readonly gasCost: bigint
  readonly refund: bigint
  readonly stack: readonly bigint[]
  readonly memory: Uint8Array
}

/** STOP, RETURN, SELFDESTRUCT. */
const endings = new Set([0x00, 0xf3, 0xff])

/** The code was run to its end; what failed is keeping what it returned. */
function isOfDeposit(frame: Frame, end: FrameEnd): boolean {
  return depositFailures.has(gethError(frame, end))
}

const depositFailures = new Set([
  'contract creation code storage out of gas',
  'max code size exceeded',
  'invalid code: must not begin with 0xef',
])

function isFatal(error: string | undefined): boolean {
  return error !== undefined && error !== 'revert'
}

async function readSlot(
  stateManager: InterpreterStep['stateManager'],
  address: InterpreterStep['address'],
  slot: Uint8Array,
): Promise<bigint> {
  const value = await stateManager.getStorage(address, slot)
  return value.length === 0 ? 0n : BigInt(bytesToHex(value))
}

/** Where stock has a name of its own, that of the other clients. */
function nameOf({ name, code }: InterpreterStep['opcode']): string {
  if (code === 0x44) return 'DIFFICULTY'
  if (code === 0xfe) return 'INVALID'
  return name
}

function wordsOf(memory: Uint8Array): string[] {
  const words = Math.ceil(memory.length / 32)
  return Array.from({ length: words }, (_, index) => {
    return bytesToHex(memory.subarray(32 * index, 32 * (index + 1)))
  })
}
