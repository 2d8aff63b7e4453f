// Rounds of changes to a stored flat state, each the same whenever it is made, and a process that makes them.
// Authority on what a state is after so many rounds. Run as a program, it goes on from what is stored:
// node stored-rounds.ts PATH [PAGES [MEMORY]]: with PAGES it kills itself within a commit, after so many pages,
// or entries if MEMORY says that all stays on disk but so many bytes.
import { Common, Mainnet } from '@ethereumjs/common'
import { Account, Address, setLengthLeft } from '@ethereumjs/util'
import { createFlatState } from '../../../../src/state/create-flat-state.ts'
import type { FlatState } from '../../../../src/state/flat-state.ts'

export const common = new Common({ chain: Mainnet })
const MOST_ROUNDS = 10_000
const CHANGES = 60

/** Its nonce counts the rounds. */
const counter = addressOf(0)

export function addressOf(number: number): Address {
  return new Address(setLengthLeft(Uint8Array.of(number >> 8, number), 20))
}

export function keyOf(number: number): Uint8Array {
  return setLengthLeft(Uint8Array.of(number >> 8, number), 32)
}

export async function roundsOf(state: FlatState): Promise<number> {
  return Number((await state.getAccount(counter))?.nonce ?? 0n)
}

/** What follows round `round` - 1. */
export async function makeRound(state: FlatState, round: number): Promise<Uint8Array> {
  await state.checkpoint()
  for (let i = 0; i < CHANGES; i++) {
    const at = addressOf(1 + ((round * 31 + i * 17) % 997))
    if ((round + i) % 11 === 0) await state.deleteAccount(at)
    else await state.putAccount(at, new Account(BigInt(round), BigInt(i)))
    if ((await state.getAccount(at)) === undefined) continue
    for (let j = 0; j < i % 4; j++) {
      await state.putStorage(at, keyOf(j * round), Uint8Array.of((round + j) % 7))
    }
    if (i % 16 === 0) await state.putCode(at, Uint8Array.of(round >> 8, round, i))
  }
  await state.putAccount(counter, new Account(BigInt(round)))
  const root = await state.getStateRoot()
  await state.commit()
  return root
}

async function main(path: string, pages: number, memoryBytes?: number): Promise<void> {
  const state = await createFlatState({
    common,
    store: { path },
    ...(memoryBytes && { memoryBytes }),
  })
  let left = pages
  const kill = (): void => {
    if (pages > 0 && --left === 0) process.kill(process.pid, 'SIGKILL')
  }
  const from = Buffer.from.bind(Buffer)
  Buffer.from = ((...args: Parameters<typeof from>) => {
    // What is put: a page is an ArrayBuffer, an entry bytes of no Buffer.
    const isEntry = memoryBytes !== undefined && args[0]?.constructor === Uint8Array
    if (args[0] instanceof ArrayBuffer || isEntry) kill()
    return from(...args)
  }) as typeof Buffer.from
  for (let round = (await roundsOf(state)) + 1; round <= MOST_ROUNDS; round++) {
    await makeRound(state, round)
    process.stdout.write(`${round}\n`)
  }
}

if (process.argv[1] === import.meta.filename) {
  const memory = process.argv[4]
  await main(process.argv[2]!, Number(process.argv[3] ?? 0), memory ? Number(memory) : undefined)
}
