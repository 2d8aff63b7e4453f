// The options of the debug_trace methods, and the tracer that they ask for.
// The authority on which tracers there are.
// Must not run anything.
import type { VM } from '@ethereumjs/vm'
import { z } from 'zod'

import { invalidParams } from '../rpc-error.ts'
import { blockOverrides } from './call-block.ts'
import { type CallTrace, CallTracer } from './call-tracer.ts'
import { parseParam } from './hex-schemas.ts'
import type { ExecutionObserver } from './observe-execution.ts'
import { type Prestate, PrestateTracer, type TracedTransaction } from './prestate-tracer.ts'
import { stateOverrides } from './state-overrides.ts'
import { StructLogger, type StructTrace, type TransactionEnd } from './struct-logger.ts'

const flag = z.boolean().nullish()

/** Options that are not named here are ignored, as Hardhat does. */
export const traceOptions = z
  .object({
    tracer: z.string().nullish(),
    tracerConfig: z.record(z.unknown()).nullish(),
    disableStack: flag,
    disableStorage: flag,
    /** Memory is left out anyway, unless `enableMemory` asks for it. */
    disableMemory: flag,
    enableMemory: flag,
    enableReturnData: flag,
    /** Entries of the default tracer; 0 = all. */
    limit: z.number().int().nonnegative().nullish(),
  })
  .nullish()
  .transform((options) => options ?? {})

export type TraceOptions = z.infer<typeof traceOptions>

/** Of debug_traceCall, which changes state and block before it runs. */
export const traceCallOptions = z
  .object({
    stateOverrides: stateOverrides.nullish(),
    blockOverrides: blockOverrides.nullish(),
  })
  .nullish()
  .transform((options) => options ?? {})

const callTracerConfig = z.object({ onlyTopCall: flag, withLog: flag })

const prestateTracerConfig = z.object({
  diffMode: flag,
  disableCode: flag,
  disableStorage: flag,
  includeEmpty: flag,
})

export type TraceResult =
  | StructTrace
  | CallTrace
  | Prestate
  | { post: Prestate; pre: Prestate }
  | Record<string, never>

export interface Tracer {
  readonly observer: ExecutionObserver
  /** Before the transaction runs. */
  start?(transaction: TracedTransaction): Promise<void>
  result(end: TransactionEnd): TraceResult | Promise<TraceResult>
}

/**
 * @param gasLimit of the transaction
 * @throws RpcError -32602 for a tracer that is unknown, or an option that it does not have
 */
export function createTracer(vm: VM, options: TraceOptions, gasLimit: bigint): Tracer {
  const config = options.tracerConfig ?? {}
  switch (options.tracer) {
    case undefined:
    case null:
    case '': {
      const logger = new StructLogger({
        disableStack: options.disableStack === true,
        disableStorage: options.disableStorage === true,
        enableMemory: options.enableMemory === true,
        enableReturnData: options.enableReturnData === true,
        limit: options.limit ?? 0,
      })
      return { observer: logger, result: (end) => logger.result(end) }
    }
    case 'callTracer': {
      const { onlyTopCall, withLog } = parseParam(callTracerConfig, 'tracerConfig', config)
      const settings = { onlyTopCall: onlyTopCall === true, withLog: withLog === true }
      const tracer = new CallTracer(settings, gasLimit)
      return { observer: tracer, result: (end) => tracer.result(end) }
    }
    case 'prestateTracer':
      return prestateTracer(vm, config)
    case 'noopTracer':
      return { observer: {}, result: () => ({}) }
    default:
      throw invalidParams(
        `Tracer ${JSON.stringify(options.tracer)} is not supported: there are callTracer, prestateTracer, noopTracer, and the default one`,
      )
  }
}

function prestateTracer(vm: VM, config: Record<string, unknown>): Tracer {
  const parsed = parseParam(prestateTracerConfig, 'tracerConfig', config)
  if (parsed.diffMode === true && parsed.includeEmpty === true) {
    throw invalidParams('Invalid params: tracerConfig: cannot use diffMode with includeEmpty')
  }
  const tracer = new PrestateTracer(vm, {
    diffMode: parsed.diffMode === true,
    disableCode: parsed.disableCode === true,
    disableStorage: parsed.disableStorage === true,
    includeEmpty: parsed.includeEmpty === true,
  })
  return {
    observer: tracer,
    start: (transaction) => tracer.start(transaction),
    result: () => tracer.result(),
  }
}
