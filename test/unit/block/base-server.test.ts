// The server of base values: what it answers, and that nobody's death makes it wait.
// Authority on the request ring as the main thread sees it.
import { Common, Mainnet } from '@ethereumjs/common'
import type { MerkleStateManager } from '@ethereumjs/statemanager'
import { Address } from '@ethereumjs/util'
import { describe, expect, it } from 'vitest'
import { BaseServer } from '../../../src/block/base-server.ts'
import { BlockMemory } from '../../../src/block/block-memory.ts'
import {
  ACCOUNT,
  BASE,
  blockHashIndex,
  CONTROL,
  REQUEST,
  REQUEST_KIND_BITS,
  RING_CAPACITY,
  ringIndex,
  SLOT,
} from '../../../src/memory/layout.ts'
import { readStripped32, readUint64, readUint256 } from '../../../src/memory/word-codec.ts'
import { buildStateTemplate } from '../../support/state-template.ts'

const address = new Address(new Uint8Array(20).fill(5))
const key = new Uint8Array(32).fill(1)

async function setUp() {
  const common = new Common({ chain: Mainnet, hardfork: 'shanghai' })
  const template = await buildStateTemplate(common, {
    [address.toString()]: { balance: 2n ** 200n, nonce: 9n, code: '0x600160025b', storage: {} },
  })
  const manager = template.copy(common) as MerkleStateManager
  await manager.putStorage(address, key, Uint8Array.of(7, 8))
  const memory = new BlockMemory(1, 1)
  memory.beginBlock(4)
  const hashes = {
    getBlock: async (number: number) => {
      if (number < 90) throw new Error('no such block')
      return { hash: () => new Uint8Array(32).fill(number) }
    },
  }
  const server = new BaseServer(memory, manager, hashes as never, 100n, () => false)
  let position = 0
  const ask = (subject: number, kind: number): void => {
    memory.control[CONTROL.REQUEST_TAIL] = position + 1
    memory.control[ringIndex(position++)] = ((subject << REQUEST_KIND_BITS) | kind) + 1
  }
  const record = memory.table.account(address.bytes)
  return { memory, manager, server, ask, record }
}

describe('the server', () => {
  it('answers accounts, slots, code and block hashes, in one go', async () => {
    const { memory, server, ask, record } = await setUp()
    const slot = memory.table.slot(record, key)
    expect(server.hasRequests).toBe(false)
    ask(record, REQUEST.ACCOUNT)
    ask(slot, REQUEST.SLOT)
    ask(1, REQUEST.BLOCK_HASH)
    ask(50, REQUEST.BLOCK_HASH)
    expect(server.hasRequests).toBe(true)
    await server.serve(1)
    ask(record, REQUEST.CODE)
    await server.serve(1)
    expect(server.hasRequests).toBe(false)
    const { words, bytes } = memory.state
    expect(words[record + ACCOUNT.STATUS]).toBe(BASE.PRESENT)
    expect(words[record + ACCOUNT.EXISTS]).toBe(1)
    expect(readUint64(words, record + ACCOUNT.NONCE)).toBe(9n)
    expect(readUint256(words, record + ACCOUNT.BALANCE)).toBe(2n ** 200n)
    expect(readStripped32(bytes, slot + SLOT.VALUE)).toEqual(Uint8Array.of(7, 8))
    const code = words[record + ACCOUNT.CODE]!
    expect(words[code]).toBe(5)
    expect(memory.control[blockHashIndex(1)]).toBe(BASE.PRESENT)
    expect(memory.control[blockHashIndex(50)]).toBe(BASE.FAILED)
  })

  it('does not wait for a request whose writer has died before it was written', async () => {
    const { memory, server, record } = await setUp()
    memory.control[CONTROL.REQUEST_TAIL] = 1
    expect(server.hasRequests).toBe(false)
    await server.serve(1)
    memory.control[ringIndex(0)] = ((record << REQUEST_KIND_BITS) | REQUEST.ACCOUNT) + 1
    expect(server.hasRequests).toBe(true)
    await server.serve(1)
    expect(memory.state.words[record + ACCOUNT.STATUS]).toBe(BASE.PRESENT)
  })

  it('goes around the ring', async () => {
    const { memory, server, ask, record } = await setUp()
    for (let turn = 0; turn < RING_CAPACITY + 10; turn++) {
      memory.state.words[record + ACCOUNT.STATUS] = BASE.REQUESTED
      ask(record, REQUEST.ACCOUNT)
      await server.serve(1)
      expect(memory.state.words[record + ACCOUNT.STATUS]).toBe(BASE.PRESENT)
    }
  })

  it('waits for all answers of a batch before it throws the error of one', async () => {
    const { memory, manager, ask, record } = await setUp()
    const slot = memory.table.slot(record, key)
    let finished = false
    manager.getStorage = () => Promise.reject(new Error('the disk is gone'))
    const getAccount = manager.getAccount.bind(manager)
    manager.getAccount = async (of) => {
      await new Promise((resolve) => setTimeout(resolve, 30))
      finished = true
      return getAccount(of)
    }
    const server = new BaseServer(memory, manager, {} as never, 100n, () => false)
    ask(slot, REQUEST.SLOT)
    ask(record, REQUEST.ACCOUNT)
    await expect(server.serve(1)).rejects.toThrow('the disk is gone')
    expect(finished).toBe(true)
    expect(memory.state.words[record + ACCOUNT.STATUS]).toBe(BASE.PRESENT)
  })

  it('refuses a balance that is more than 32 bytes hold, and does not cut it off', async () => {
    const { memory, manager, server, ask, record } = await setUp()
    const account = (await manager.getAccount(address))!
    account.balance = 1n << 256n
    await manager.putAccount(address, account)
    ask(record, REQUEST.ACCOUNT)
    await expect(server.serve(1)).rejects.toMatchObject({ code: 'UNSUPPORTED_BALANCE' })
    expect(memory.state.words[record + ACCOUNT.STATUS]).not.toBe(BASE.PRESENT)
  })

  it('does not ask for storage that committed transactions have cleared', async () => {
    const { memory, manager, record } = await setUp()
    let asked = 0
    manager.getStorage = async () => {
      asked++
      return Uint8Array.of(1)
    }
    const server = new BaseServer(memory, manager, {} as never, 100n, () => true)
    const slot = memory.table.slot(record, key)
    memory.control[ringIndex(0)] = ((slot << REQUEST_KIND_BITS) | REQUEST.SLOT) + 1
    await server.serve(1)
    expect(asked).toBe(0)
    expect(readStripped32(memory.state.bytes, slot + SLOT.VALUE)).toEqual(new Uint8Array(0))
  })
})
