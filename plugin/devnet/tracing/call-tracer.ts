// callTracer: the calls of a transaction as a tree, in geth's form.
// The authority on the fields of a call and on what withLog and onlyTopCall change.
// Must not look at single instructions.
import { bigIntToHex, bytesToHex } from '@ethereumjs/util'

import { gethError } from './geth-errors.ts'
import type { ExecutionLog, ExecutionObserver, Frame, FrameEnd } from './observe-execution.ts'
import { gethRevertReason } from './revert-reason.ts'
import type { TransactionEnd } from './struct-logger.ts'

export interface CallTracerOptions {
  readonly onlyTopCall: boolean
  readonly withLog: boolean
}

export interface CallTraceLog {
  readonly address: string
  readonly topics: readonly string[]
  readonly data: string
  /** Among the logs of the transaction. */
  readonly index: string
  /** How many calls the frame had made before it. */
  readonly position: string
}

export interface CallTrace {
  from: string
  gas: string
  gasUsed: string
  to?: string
  input: string
  output?: string
  error?: string
  revertReason?: string
  calls?: CallTrace[]
  logs?: CallTraceLog[]
  value?: string
  type: string
}

export class CallTracer implements ExecutionObserver {
  readonly #options: CallTracerOptions
  /** Gas limit of the transaction, which is what geth shows of the first call. */
  readonly #gasLimit: bigint
  readonly #traces = new WeakMap<Frame, CallTrace>()
  /** Where the count of logs goes back to if a frame fails. */
  readonly #logsBefore = new WeakMap<Frame, number>()
  #logs = 0
  #root: CallTrace | undefined

  constructor(options: CallTracerOptions, gasLimit: bigint) {
    this.#options = options
    this.#gasLimit = gasLimit
  }

  enter(frame: Frame): void {
    this.#logsBefore.set(frame, this.#logs)
    if (this.#options.onlyTopCall && frame.depth > 0) return
    const trace: CallTrace = {
      from: frame.from.toString(),
      gas: bigIntToHex(frame.depth === 0 ? this.#gasLimit : frame.gas),
      gasUsed: '0x0',
      input: bytesToHex(frame.input),
      type: frame.type,
    }
    this.#traces.set(frame, trace)
    if (frame.parent === undefined) this.#root = trace
  }

  exit(frame: Frame, end: FrameEnd): void {
    if (end.error !== undefined) this.#logs = this.#logsBefore.get(frame) ?? 0
    const trace = this.#traces.get(frame)
    if (trace === undefined) return
    trace.gasUsed = bigIntToHex(end.gasUsed)
    const isFailedCreation = end.error !== undefined && frame.type.startsWith('CREATE')
    if (frame.to !== undefined && !isFailedCreation) trace.to = frame.to.toString()
    addOutput(trace, frame, end)
    if (end.error !== undefined) dropLogs(trace)
    if (frame.value !== undefined) trace.value = bigIntToHex(frame.value)
    const parent = frame.parent === undefined ? undefined : this.#traces.get(frame.parent)
    if (parent !== undefined) {
      parent.calls ??= []
      parent.calls.push(trace)
    }
  }

  log({ address, topics, data }: ExecutionLog, frame: Frame): void {
    const index = this.#logs
    this.#logs += 1
    const trace = this.#traces.get(frame)
    if (!this.#options.withLog || trace === undefined) return
    trace.logs ??= []
    trace.logs.push({
      address: address.toString(),
      topics: topics.map((topic) => bytesToHex(topic)),
      data: bytesToHex(data),
      index: hexOf(index),
      position: hexOf(trace.calls?.length ?? 0),
    })
  }

  result({ gasUsed }: TransactionEnd): CallTrace {
    const root = this.#root!
    root.gasUsed = bigIntToHex(gasUsed)
    return root
  }
}

function addOutput(trace: CallTrace, frame: Frame, end: FrameEnd): void {
  const { output, error } = end
  if (error === undefined || error === 'revert') {
    if (output.length > 0) trace.output = bytesToHex(output)
  }
  if (error === undefined) return
  trace.error = gethError(frame, end)
  if (error !== 'revert') return
  const reason = gethRevertReason(output)
  if (reason !== undefined && reason !== '') trace.revertReason = reason
}

/** What failed has logged nothing, nor what it called. */
function dropLogs(trace: CallTrace): void {
  delete trace.logs
  for (const call of trace.calls ?? []) dropLogs(call)
}

function hexOf(count: number): string {
  return `0x${count.toString(16)}`
}
