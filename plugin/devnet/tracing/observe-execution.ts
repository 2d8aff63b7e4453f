// What happens while the EVM runs: frames entered and left, steps, logs, each to the frame it is in.
// The authority on how ethereumjs' events become the frames that geth's tracers speak of.
// Must not change the execution, nor leave a listener behind.
import type { EVM, EVMError, EVMResult, InterpreterStep, Message } from '@ethereumjs/evm'
import type { Address } from '@ethereumjs/util'
import type { VM } from '@ethereumjs/vm'

import {
  addressFromWord,
  callArguments,
  forwardedGas,
  isCall,
  isCreation,
  logFromStep,
  memoryRange,
} from './step-operands.ts'

export type FrameType =
  | 'CALL'
  | 'CALLCODE'
  | 'DELEGATECALL'
  | 'STATICCALL'
  | 'CREATE'
  | 'CREATE2'
  | 'SELFDESTRUCT'

export interface Frame {
  readonly type: FrameType
  /** 0 for the transaction's own. */
  readonly depth: number
  readonly parent: Frame | undefined
  /** Who calls; of a delegated call the account whose code is running. */
  readonly from: Address
  /** Whose code runs. Undefined until a creation has its address. */
  to: Address | undefined
  readonly input: Uint8Array
  readonly gas: bigint
  /** Wei. Undefined for static calls, which have none; of delegated calls that of the frame they are in. */
  readonly value: bigint | undefined
  /** The step the frame is at. */
  lastStep: InterpreterStep | undefined
}

/** As stock names them, and a call too deep, which stock has no name for. */
export type FrameError = EVMError['error'] | 'max call depth exceeded'

export interface FrameEnd {
  readonly output: Uint8Array
  readonly gasUsed: bigint
  readonly error: FrameError | undefined
  /** Undefined where the frame ran no code. */
  readonly result: EVMResult['execResult'] | undefined
}

export interface ExecutionLog {
  readonly address: Address
  readonly topics: readonly Uint8Array[]
  readonly data: Uint8Array
}

/** All are called in the order of execution, and awaited. */
export interface ExecutionObserver {
  enter?(frame: Frame): void | Promise<void>
  exit?(frame: Frame, end: FrameEnd): void | Promise<void>
  /** Before the instruction, with what it will cost. */
  step?(step: InterpreterStep, frame: Frame): void | Promise<void>
  /**
   * Whether the frame's steps are of use; asked again at each. Without anybody looking, code runs some ten
   * times as fast.
   */
  wantsSteps?(frame: Frame): boolean
  /** Where a frame fails later, its logs were announced all the same. */
  log?(log: ExecutionLog, frame: Frame): void
}

/** Runs with the observer listening; nobody else should run on this VM meanwhile. */
export async function observeExecution<Result>(
  vm: VM,
  observer: ExecutionObserver,
  run: () => Promise<Result>,
): Promise<Result> {
  const { events } = vm.evm as EVM
  const frames = new FrameStack(observer, (isWanted) => {
    const isListening = events.listeners('step').includes(listeners.step)
    if (isWanted && !isListening && !('error' in noted)) events.on('step', listeners.step)
    if (!isWanted && isListening) events.off('step', listeners.step)
  })
  const noted: { error?: unknown } = {}
  // Stock does not look at what a listener throws, so it is kept until the end.
  const awaited =
    <Event>(handle: (event: Event) => Promise<void>) =>
    (event: Event, resolve?: () => void): void => {
      handle(event)
        .catch((error: unknown) => {
          noted.error ??= error
          // The rest need not be looked at.
          events.off('step', listeners.step)
        })
        .finally(() => resolve?.())
    }
  const before = awaited((message: Message) => frames.enter(message))
  const after = awaited((result: EVMResult) => frames.leave(result))
  const step = awaited((event: InterpreterStep) => frames.step(event))
  const created = awaited(({ address }: { address: Address }) => frames.created(address))
  // With two parameters a listener is waited for.
  const listeners = {
    beforeMessage: (event: Message, resolve?: () => void) => before(event, resolve),
    afterMessage: (event: EVMResult, resolve?: () => void) => after(event, resolve),
    step: (event: InterpreterStep, resolve?: () => void) => step(event, resolve),
    newContract: (event: { address: Address; code: Uint8Array }, resolve?: () => void) =>
      created(event, resolve),
  }
  events.on('beforeMessage', listeners.beforeMessage)
  events.on('afterMessage', listeners.afterMessage)
  events.on('newContract', listeners.newContract)
  try {
    const result = await run()
    if ('error' in noted) throw noted.error
    return result
  } finally {
    events.off('beforeMessage', listeners.beforeMessage)
    events.off('afterMessage', listeners.afterMessage)
    events.off('step', listeners.step)
    events.off('newContract', listeners.newContract)
  }
}

/** Steps after which others on this thread get their turn: some 50 ms. */
const stepsAtOnce = 1_024

/** Follows one execution. */
class FrameStack {
  readonly #observer: ExecutionObserver
  readonly #listen: (isWanted: boolean) => void
  #current: Frame | undefined
  #steps = 0

  constructor(observer: ExecutionObserver, listen: (isWanted: boolean) => void) {
    this.#observer = observer
    this.#listen = listen
  }

  #look(): void {
    const frame = this.#current
    if (frame === undefined) return
    this.#listen(this.#observer.wantsSteps?.(frame) ?? true)
  }

  async enter(message: Message): Promise<void> {
    const parent = this.#current
    const frame: Frame = {
      type: frameType(message, parent),
      depth: message.depth,
      parent,
      from: message.delegatecall ? message.to! : message.caller,
      to: message.to === undefined ? undefined : message.codeAddress,
      input: message.data,
      gas: message.gasLimit,
      value: undefined,
      lastStep: undefined,
    }
    Object.assign(frame, { value: frameValue(frame.type, message, parent) })
    this.#current = frame
    if (parent !== undefined) calledFrom.delete(parent)
    await this.#observer.enter?.(frame)
    this.#look()
  }

  async created(address: Address): Promise<void> {
    if (this.#current !== undefined) this.#current.to = address
  }

  async leave({ execResult, createdAddress }: EVMResult): Promise<void> {
    const frame = this.#current!
    await this.#refused(frame, undefined)
    this.#current = frame.parent
    frame.to ??= createdAddress
    const error = plainError(execResult.exceptionError?.error)
    const end: FrameEnd = {
      output: execResult.returnValue,
      gasUsed: execResult.executionGasUsed,
      error,
      result: execResult,
    }
    await this.#observer.exit?.(frame, end)
    this.#look()
  }

  async step(step: InterpreterStep): Promise<void> {
    const frame = this.#current!
    this.#steps += 1
    if (this.#steps % stepsAtOnce === 0) await new Promise((resolve) => setImmediate(resolve))
    await this.#refused(frame, step)
    frame.lastStep = step
    await this.#observer.step?.(step, frame)
    const { code } = step.opcode
    if (isCall(code) || isCreation(code)) calledFrom.set(frame, step)
    else if (code >= 0xa0 && code <= 0xa4) {
      const log = logFromStep(step)
      if (log !== undefined) this.#observer.log?.(log, frame)
    } else if (code === 0xff) await this.#selfdestruct(step, frame)
    this.#look()
  }

  /** A call that the caller could not pay, or one too deep, never becomes a message of the EVM. */
  async #refused(parent: Frame, next: InterpreterStep | undefined): Promise<void> {
    const step = calledFrom.get(parent)
    calledFrom.delete(parent)
    if (step === undefined || next === undefined) return
    const call = callArguments(step)
    if (call === undefined) return
    const { code } = step.opcode
    const value = code === 0xf4 ? parent.value : call.value
    const frame: Frame = {
      type: typeByOpcode.get(code)!,
      depth: parent.depth + 1,
      parent,
      from: step.address,
      to: call.to,
      input: memoryRange(step.memory, call.inputAt, call.inputLength),
      gas:
        forwardedGas(step) + (call.value !== undefined && call.value > 0n && call.to ? 2300n : 0n),
      value,
      lastStep: undefined,
    }
    await this.#observer.enter?.(frame)
    const error = parent.depth >= 1024 ? 'max call depth exceeded' : 'insufficient balance'
    await this.#observer.exit?.(frame, {
      output: new Uint8Array(0),
      gasUsed: 0n,
      error,
      result: undefined,
    })
  }

  async #selfdestruct(step: InterpreterStep, parent: Frame): Promise<void> {
    const beneficiary = step.stack.at(-1)
    if (beneficiary === undefined) return
    const account = await step.stateManager.getAccount(step.address)
    const frame: Frame = {
      type: 'SELFDESTRUCT',
      depth: parent.depth + 1,
      parent,
      from: step.address,
      to: addressFromWord(beneficiary),
      input: new Uint8Array(0),
      gas: 0n,
      value: account?.balance ?? 0n,
      lastStep: undefined,
    }
    await this.#observer.enter?.(frame)
    const end = { output: new Uint8Array(0), gasUsed: 0n, error: undefined, result: undefined }
    await this.#observer.exit?.(frame, end)
  }
}

/** Without the place that stock adds to some. */
function plainError(error: FrameError | undefined): FrameError | undefined {
  return error?.startsWith('invalid JUMP') === true ? 'invalid JUMP' : error
}

/** Frames whose last step was a call, until its message comes. */
const calledFrom = new WeakMap<Frame, InterpreterStep>()

const typeByOpcode = new Map<number, FrameType>([
  [0xf0, 'CREATE'],
  [0xf1, 'CALL'],
  [0xf2, 'CALLCODE'],
  [0xf4, 'DELEGATECALL'],
  [0xf5, 'CREATE2'],
  [0xfa, 'STATICCALL'],
])

function frameType(message: Message, parent: Frame | undefined): FrameType {
  const opcode = parent?.lastStep?.opcode.code
  const known = opcode === undefined ? undefined : typeByOpcode.get(opcode)
  if (known !== undefined) return known
  // Nobody looked at the instruction, so the message has to tell.
  if (message.to === undefined) return message.salt === undefined ? 'CREATE' : 'CREATE2'
  if (message.delegatecall) return 'DELEGATECALL'
  return message.isStatic ? 'STATICCALL' : 'CALL'
}

function frameValue(
  type: FrameType,
  message: Message,
  parent: Frame | undefined,
): bigint | undefined {
  if (type === 'STATICCALL') return undefined
  return type === 'DELEGATECALL' ? (parent?.value ?? 0n) : message.value
}
