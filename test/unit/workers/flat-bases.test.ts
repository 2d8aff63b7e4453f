// What workers take from a flat state's memory is what the calling thread would have answered.
// Authority on the copying alone; blocks on flat states are test/unit/block's matter.
import { Common, Mainnet } from '@ethereumjs/common'
import { Account, Address, type Address as AddressType, setLengthLeft } from '@ethereumjs/util'
import { describe, expect, it } from 'vitest'
import { BaseServer } from '../../../src/block/base-server.ts'
import { BlockMemory } from '../../../src/block/block-memory.ts'
import { CodeCache } from '../../../src/execution/code-cache.ts'
import type { RecordId } from '../../../src/ids.ts'
import { nativeAtomics } from '../../../src/memory/atomics.ts'
import { FLAT_EPOCH } from '../../../src/memory/flat-layout.ts'
import { ACCOUNT, SLOT } from '../../../src/memory/layout.ts'
import { createFlatState } from '../../../src/state/create-flat-state.ts'
import { type FlatState, flatDataOf } from '../../../src/state/flat-state.ts'
import { FlatReader } from '../../../src/state/flat-table.ts'
import { FlatBases } from '../../../src/workers/flat-bases.ts'

const [rich, contract, empty, absent] = [1, 2, 3, 4].map(
  (n) => new Address(setLengthLeft(Uint8Array.of(n), 20)),
) as [AddressType, AddressType, AddressType, AddressType]
const keys = [0, 1, 2].map((n) => setLengthLeft(Uint8Array.of(n), 32))
const code = Uint8Array.of(0x60, 1, 0x60, 2)

async function filledState(): Promise<FlatState> {
  const state = await createFlatState({ common: new Common({ chain: Mainnet }) })
  await state.putAccount(rich, new Account(2n ** 63n + 5n, 2n ** 255n + 3n))
  await state.putAccount(contract, new Account(1n))
  await state.putCode(contract, code)
  await state.putStorage(contract, keys[0]!, Uint8Array.of(0x80, 0, 1))
  await state.putStorage(contract, keys[1]!, new Uint8Array(32).fill(0xff))
  await state.putAccount(empty, new Account(3n))
  await state.putStorage(empty, keys[0]!, Uint8Array.of(1))
  await state.getStateRoot()
  await state.clearStorage(empty)
  return state
}

function basesOf(state: FlatState, memory: BlockMemory): { bases: FlatBases; reader: FlatReader } {
  // As a worker has it: over views of its own.
  const reader = FlatReader.over(flatDataOf(state)!.table.buffers)
  return { bases: new FlatBases(reader, memory.state, nativeAtomics), reader }
}

describe('base values of a flat state', () => {
  it('are what the state manager answers, of accounts and slots that are there or not', async () => {
    const state = await filledState()
    const copied = new BlockMemory(8, 8)
    const { bases } = basesOf(state, copied)
    const served = new BlockMemory(8, 8)
    // A method of its own: so it is asked like any other.
    state.getAccount = state.getAccount.bind(state)
    const server = new BaseServer(served, state, {} as never, 1n, () => false)
    const wordsOf = (memory: BlockMemory, from: number, to: number): number[] =>
      Array.from(memory.state.reach(to).slice(from, to))
    for (const address of [rich, contract, empty, absent]) {
      const [ours, theirs] = [copied, served].map((memory) => memory.table.account(address.bytes))
      expect(bases.account(ours!)).toBe(true)
      await server.preload([theirs!], [])
      const range = [ACCOUNT.EXISTS, ACCOUNT.CODE_STATUS] as const
      expect(wordsOf(copied, ours! + range[0], ours! + range[1])).toEqual(
        wordsOf(served, theirs! + range[0], theirs! + range[1]),
      )
      for (const key of keys) {
        const our = copied.table.slot(ours!, key)
        const their = served.table.slot(theirs!, key)
        copied.state.words.fill(-1, our + SLOT.VALUE, our + SLOT.WORDS)
        expect(bases.slot(our)).toBe(true)
        await server.preload([], [their])
        expect(wordsOf(copied, our + SLOT.VALUE, our + SLOT.WORDS)).toEqual(
          wordsOf(served, their + SLOT.VALUE, their + SLOT.WORDS),
        )
      }
    }
  })

  it('have code where it lies, and forget copies of it with the state', async () => {
    const state = await filledState()
    const memory = new BlockMemory(8, 8)
    const { bases, reader } = basesOf(state, memory)
    const placeOf = (record: RecordId): number => memory.state.words[record + ACCOUNT.CODE]!
    const record = memory.table.account(contract.bytes)
    expect(bases.code(record)).toBe(true)
    const cache = new CodeCache()
    expect(() => cache.ofState(memory.state, placeOf(record))).toThrow('not there')
    cache.useFlat(reader.region, 1)
    const copy = cache.ofState(memory.state, placeOf(record))
    expect(copy).toEqual(code)
    expect(cache.ofState(memory.state, placeOf(record))).toBe(copy)
    cache.useFlat(reader.region, 2)
    expect(cache.ofState(memory.state, placeOf(record))).not.toBe(copy)
    // Whose hash alone was put is a question for the state manager.
    await state.modifyAccountFields(rich, { codeHash: new Uint8Array(32).fill(9) })
    expect(bases.code(memory.table.account(rich.bytes))).toBe(false)
  })

  it('are not taken while the state is another one, nor where it was one meanwhile', async () => {
    const state = await filledState()
    const memory = new BlockMemory(8, 8)
    const { bases, reader } = basesOf(state, memory)
    const record = memory.table.account(rich.bytes)
    const words = reader.region.words
    const epoch = words[FLAT_EPOCH]!
    words[FLAT_EPOCH] = epoch + 1
    expect(bases.account(record)).toBe(false)
    words[FLAT_EPOCH] = epoch
    expect(bases.account(record)).toBe(true)
    let looks = 0
    const load = (): number => 2 * looks++
    const moving = new FlatBases(reader, memory.state, { ...nativeAtomics, load })
    expect(moving.account(record)).toBe(false)

    const before = nativeAtomics.load(words, FLAT_EPOCH)
    const copy = state.shallowCopy()
    await copy.putAccount(rich, undefined)
    await copy.getStateRoot()
    expect(nativeAtomics.load(words, FLAT_EPOCH) - before).toBe(2)
  })
})
