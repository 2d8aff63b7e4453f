// Methods by name: what parameters each takes, and what answers it.
// The authority on how parameters are checked before a method sees them. Must not know any method.

import type { z } from 'zod'
import type { DevnetCore } from '../core.ts'
import { invalidParams } from '../rpc-error.ts'
import type { ConnectionState } from './connection-state.ts'

export interface MethodContext {
  readonly core: DevnetCore
  /** Filters and subscriptions of who asks. */
  readonly connection: ConnectionState
}

/** Answers with what JSON.stringify can write. */
export type RpcMethod = (context: MethodContext, params: readonly unknown[]) => Promise<unknown>

export type MethodTable = Readonly<Record<string, RpcMethod>>

type Values<Schemas extends readonly z.ZodTypeAny[]> = {
  [Index in keyof Schemas]: z.output<Schemas[Index]>
}

/**
 * A method whose parameters have these forms, in this order; those that may be left out are `nullish`.
 * `run` gets what the schemas made of them.
 */
export function method<const Schemas extends readonly z.ZodTypeAny[]>(
  schemas: Schemas,
  run: (context: MethodContext, ...values: Values<Schemas>) => unknown,
): RpcMethod {
  return async (context, params) => run(context, ...parse(schemas, params))
}

function parse<Schemas extends readonly z.ZodTypeAny[]>(
  schemas: Schemas,
  params: readonly unknown[],
): Values<Schemas> {
  if (params.length > schemas.length) {
    throw invalidParams(
      `Invalid params: expected at most ${schemas.length} of them, but got ${params.length}`,
    )
  }
  const values = schemas.map((schema, index) => {
    const result = schema.safeParse(params[index])
    if (result.success) return result.data as unknown
    throw invalidParams(describe(index, params, result.error))
  })
  return values as Values<Schemas>
}

function describe(index: number, params: readonly unknown[], error: z.ZodError): string {
  const [issue] = error.issues
  const path = (issue?.path ?? []).map((part) => `.${part}`).join('')
  const message = issue?.message ?? 'is invalid'
  if (index >= params.length) return `Invalid params: parameter ${index + 1} is missing`
  return `Invalid params: parameter ${index + 1}${path} ${message}`
}
