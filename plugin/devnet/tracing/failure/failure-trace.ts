// The frames of an execution that failed, with as much of each as an explanation needs.
// The authority on what is kept of an execution: a step's place, not its stack.
// Must not explain anything.
import type { InterpreterStep } from '@ethereumjs/evm'

import type { ExecutionObserver, Frame, FrameEnd } from '../observe-execution.ts'

export interface FailureFrame {
  readonly frame: Frame
  /** Code that ran: of the contract, or of a creation. Undefined for precompiles and plain payments. */
  code: Uint8Array | undefined
  end: FrameEnd
  /** There were more steps than are kept: what is in `steps` is not how it ended. */
  isCut: boolean
  /** Instructions and calls, in order. */
  readonly steps: (FailureStep | FailureFrame)[]
}

export interface FailureStep {
  readonly pc: number
  readonly opcode: number
}

export function isFrame(step: FailureStep | FailureFrame): step is FailureFrame {
  return 'frame' in step
}

/**
 * Steps that are looked at of one frame. Each takes some 40 us, and a loop that burns the gas of a
 * transaction has millions; frames that fail for a reason are shorter.
 */
const mostSteps = 20_000
/** Of all frames together: a transaction can make thousands of calls. */
const mostStepsInAll = 100_000

export class FailureTrace implements ExecutionObserver {
  readonly #frames = new Map<Frame, FailureFrame>()
  #root: FailureFrame | undefined
  /** Steps that may still be kept. */
  #left: number

  /** @param keepsSteps - false where frames alone tell enough: without steps code runs ten times as fast */
  constructor({ keepsSteps = true }: { readonly keepsSteps?: boolean } = {}) {
    this.#left = keepsSteps ? mostStepsInAll : 0
  }

  enter(frame: Frame): void {
    const end: FrameEnd = {
      output: new Uint8Array(0),
      gasUsed: 0n,
      error: undefined,
      result: undefined,
    }
    const kept: FailureFrame = { frame, code: undefined, end, isCut: this.#left === 0, steps: [] }
    this.#frames.set(frame, kept)
    if (frame.parent === undefined) this.#root = kept
    else if (frame.type !== 'SELFDESTRUCT') this.#frames.get(frame.parent)?.steps.push(kept)
  }

  wantsSteps(frame: Frame): boolean {
    const kept = this.#frames.get(frame)
    if (kept !== undefined && this.#left === 0) kept.isCut = true
    return kept?.isCut !== true
  }

  step({ pc, opcode }: InterpreterStep, frame: Frame): void {
    const kept = this.#frames.get(frame)
    if (kept === undefined) return
    if (this.#left === 0 || kept.steps.length >= mostSteps) {
      kept.isCut = true
      return
    }
    this.#left--
    kept.steps.push({ pc, opcode: opcode.code })
  }

  exit(frame: Frame, end: FrameEnd): void {
    const kept = this.#frames.get(frame)
    this.#frames.delete(frame)
    if (kept === undefined) return
    const state = end.result?.runState
    kept.code = state?.code
    // Results hold on to whole interpreters.
    kept.end = { ...end, result: undefined }
  }

  /** Undefined where nothing ran. */
  get root(): FailureFrame | undefined {
    return this.#root
  }
}
