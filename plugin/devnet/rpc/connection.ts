// A client's connection: answers its requests one by one, and tells it what it subscribed to.
// The authority on what a client is told when something goes wrong: an RpcError, and nothing else.

import { ParallelError } from '../../../src/index.ts'
import type { DevnetCore } from '../core.ts'
import type { DevnetConnection } from '../devnet-contract.ts'
import { invalidParams, RPC_CODES, RpcError } from '../rpc-error.ts'
import { ConnectionState } from './connection-state.ts'
import { METHODS } from './methods.ts'

export interface Connections {
  connect(): DevnetConnection
  closeAll(): void
}

export function createConnections(core: DevnetCore): Connections {
  const open = new Set<ConnectionState>()
  return {
    connect() {
      const connection = new ConnectionState()
      open.add(connection)
      return {
        request: async (method, params) => {
          if (!open.has(connection)) {
            throw new RpcError(RPC_CODES.invalidRequest, 'The connection is closed')
          }
          return answer(core, connection, method, params)
        },
        onNotification: (listener) => connection.onNotification(listener),
        close() {
          connection.close()
          open.delete(connection)
        },
      }
    },
    closeAll() {
      for (const connection of open) connection.close()
      open.clear()
    },
  }
}

async function answer(
  core: DevnetCore,
  connection: ConnectionState,
  name: string,
  params: readonly unknown[] = [],
): Promise<unknown> {
  const method = Object.hasOwn(METHODS, name) ? METHODS[name] : undefined
  if (method === undefined) {
    throw new RpcError(RPC_CODES.notSupported, `Method ${name} is not supported`)
  }
  if (!Array.isArray(params)) throw invalidParams('Invalid params: they must be an array')
  try {
    return await method({ core, connection }, params)
  } catch (error) {
    throw asRpcError(error)
  }
}

function asRpcError(error: unknown): RpcError {
  if (error instanceof RpcError) return error
  const code =
    error instanceof ParallelError && error.code !== 'INTERNAL'
      ? RPC_CODES.invalidInput
      : RPC_CODES.internal
  const message = error instanceof Error ? error.message : String(error)
  const wrapped = new RpcError(code, message)
  // For whoever debugs the devnet; what goes to the client is the message.
  wrapped.cause = error
  return wrapped
}
