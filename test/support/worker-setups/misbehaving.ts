// A worker setup module whose precompile misbehaves as its input says, and only inside workers.
// Authority on the kinds of misbehaviour. The main thread's VMs have the precompile that answers.
import { isMainThread } from 'node:worker_threads'
import type { CustomPrecompile, PrecompileInput } from '@ethereumjs/evm'
import type { WorkerSetupResult } from '../../../src/index.ts'
import { testKzg } from '../kzg.ts'
import { answer, precompileAddress } from './answering.ts'

/** The first byte of the precompile's input. */
export const misbehaviour = {
  none: 0,
  throws: 1,
  rejects: 2,
  exits: 3,
  exhaustsMemory: 4,
  loopsForever: 5,
  neverAnswers: 6,
  throwsLater: 7,
  rejectsUnseen: 8,
  answersWrongly: 9,
  overflowsTheStack: 10,
} as const

/** Where a call that loops for ever says that it does. */
export const channelName = 'call under way'

/** Elements of 8 bytes; three or four pieces are more than the tests let a worker have. */
const PIECE = 12_500_000
const hoard: number[][] = []

async function misbehave(input: PrecompileInput): Promise<ReturnType<typeof answer>> {
  const good = answer(input)
  if (isMainThread) return good
  switch (input.data[0]) {
    case misbehaviour.throws:
      throw new Error('the precompile throws')
    case misbehaviour.rejects:
      return Promise.reject(new Error('the precompile rejects'))
    case misbehaviour.exits:
      return process.exit(3)
    case misbehaviour.exhaustsMemory:
      // Call by call, each of them short: who takes long is taken for lost before memory is exhausted.
      hoard.push(new Array<number>(PIECE).fill(0))
      return good
    case misbehaviour.loopsForever: {
      const channel = new BroadcastChannel(channelName)
      channel.postMessage('')
      channel.close()
      for (;;);
    }
    case misbehaviour.neverAnswers:
      return new Promise(() => {})
    case misbehaviour.throwsLater:
      setImmediate(() => {
        throw new Error('thrown outside of everything')
      })
      // The block must still be under way then.
      return new Promise(() => {})
    case misbehaviour.rejectsUnseen:
      void Promise.reject(new Error('rejected outside of everything'))
      return new Promise(() => {})
    case misbehaviour.answersWrongly:
      return { ...good, executionGasUsed: 1_000_000_000n }
    case misbehaviour.overflowsTheStack: {
      const fall = (): number => 1 + fall()
      fall()
      return good
    }
    default:
      // A worker that has survived is as good as new.
      hoard.length = 0
      return good
  }
}

const customPrecompiles: CustomPrecompile[] = [{ address: precompileAddress, function: misbehave }]

export default async function setup(): Promise<WorkerSetupResult> {
  return { evmOpts: { customPrecompiles }, customCrypto: { kzg: testKzg() } }
}
