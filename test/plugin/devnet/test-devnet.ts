// A devnet for tests: one worker, requests by name, and errors as values where a test wants them.
// The authority on nothing. Must be closed by who makes it: `await using` does.
import { createDevnet, type DevnetParts } from '../../../plugin/devnet/create-devnet.ts'
import type { DevnetConnection, DevnetOptions } from '../../../plugin/devnet/devnet-contract.ts'
import { RpcError } from '../../../plugin/devnet/rpc-error.ts'

export interface TestDevnet extends AsyncDisposable {
  readonly connection: DevnetConnection
  /** Asks, and throws what the method throws. */
  ask(method: string, ...params: unknown[]): Promise<unknown>
  /** The same for answers that are text. */
  text(method: string, ...params: unknown[]): Promise<string>
  /** The same for objects. */
  object(method: string, ...params: unknown[]): Promise<Record<string, unknown>>
  /** Asks for what must be refused. */
  refusal(method: string, ...params: unknown[]): Promise<RpcError>
  readonly accounts: readonly string[]
  /** Private keys of the accounts, in hex. */
  readonly keys: readonly string[]
  readonly on: Awaited<ReturnType<typeof createDevnet>>['on']
}

export async function startDevnet(
  options: DevnetOptions = {},
  parts: DevnetParts = {},
): Promise<TestDevnet> {
  const devnet = await createDevnet({ workers: 1, ...options }, parts)
  const connection = devnet.connect()
  const ask = (method: string, ...params: unknown[]) => connection.request(method, params)
  return {
    connection,
    ask,
    text: async (...request) => (await ask(...request)) as string,
    object: async (...request) => (await ask(...request)) as Record<string, unknown>,
    async refusal(...request) {
      const outcome = await ask(...request).catch((error: unknown) => error)
      if (outcome instanceof RpcError) return outcome
      throw new Error(`${request[0]} was not refused: ${JSON.stringify(outcome)}`)
    },
    accounts: devnet.accounts.map(({ address }) => address),
    keys: devnet.accounts.map(({ privateKey }) => privateKey),
    on: devnet.on,
    [Symbol.asyncDispose]: () => devnet.close(),
  }
}

/** Code that returns what an opcode (hex) leaves on the stack. */
export function codeReturning(opcodes: string): string {
  return `0x${opcodes}60005260206000f3`
}

export const ETHER = 10n ** 18n
export const hex = (value: bigint | number): string => `0x${value.toString(16)}`
