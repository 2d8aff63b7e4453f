// Hardhat's own network and a devnet side by side: the same requests to both, and what both answer.
// Authority on what may differ: nothing but what a test leaves out by name.
// Must not know the methods.
import { createDevnet } from '../../../../plugin/devnet/create-devnet.ts'
import {
  type ContractArtifacts,
  createContractArtifacts,
} from '../../../../plugin/devnet/tracing/failure/contract-artifacts.ts'
import type { Compiled } from '../tracing/failing-contracts.ts'
import { compilerInput } from '../tracing/failing-contracts.ts'
import { type HardhatReference, startHardhat } from '../tracing/hardhat-reference.ts'

/** A result, or the error in its place. */
export type Answer =
  | { readonly result: unknown }
  | {
      readonly code: unknown
      readonly message: string
      readonly data: unknown
      readonly transactionHash: unknown
    }

export interface Answers {
  readonly ours: Answer
  readonly theirs: Answer
}

export interface TwoNetworks extends AsyncDisposable {
  /** Asks both. */
  both(method: string, ...params: unknown[]): Promise<Answers>
  /** Asks both for what both must grant, and returns our result. */
  grant(method: string, ...params: unknown[]): Promise<unknown>
}

/** The same for both, so that their blocks can be the same. */
const beginning = new Date('2030-01-01')

/** @param compiled - what both know of contracts; undefined for nothing */
export async function startBoth(compiled?: Compiled): Promise<TwoNetworks> {
  const artifacts = compiled === undefined ? undefined : knowing(compiled)
  const devnet = await createDevnet({
    workers: 1,
    initialDate: beginning,
    ...(artifacts === undefined ? {} : { contracts: async () => artifacts }),
  })
  const hardhat = await startHardhat({ initialDate: beginning })
  if (compiled !== undefined) await hardhat.addCompilation(compilerInput, compiled.output)
  const connection = devnet.connect()
  const both = async (method: string, ...params: unknown[]): Promise<Answers> => {
    const theirs = await answerOf(hardhat.request(method, ...params))
    const ours = await answerOf(connection.request(method, params))
    return { ours, theirs }
  }
  return {
    both,
    async grant(method, ...params) {
      const { ours, theirs } = await both(method, ...params)
      if (!('result' in ours)) throw new Error(`${method}: the devnet: ${ours.message}`)
      if (!('result' in theirs)) throw new Error(`${method}: Hardhat: ${theirs.message}`)
      return ours.result
    },
    async [Symbol.asyncDispose]() {
      await devnet.close()
      await hardhat.close()
    },
  }
}

function knowing({ output }: Compiled): ContractArtifacts {
  const artifacts = createContractArtifacts()
  artifacts.add(output)
  return artifacts
}

async function answerOf(asked: ReturnType<HardhatReference['request']>): Promise<Answer> {
  try {
    const result = await asked
    return { result: result === undefined ? null : JSON.parse(JSON.stringify(result)) }
  } catch (error) {
    const { code, message, data, transactionHash } = error as Record<string, unknown>
    // Hardhat's errors have null where there is none.
    return {
      code,
      message: String(message),
      data: data ?? undefined,
      transactionHash: transactionHash ?? undefined,
    }
  }
}
