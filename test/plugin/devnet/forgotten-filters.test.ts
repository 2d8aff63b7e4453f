// Holds filters that nobody asks any more to costing nothing for good.
// The authority on how long a filter lives unasked, and on what it keeps.
// Must not wait: the clock is the test's.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

import { createDevnet } from '../../../plugin/devnet/create-devnet.ts'
import type { Devnet, DevnetConnection } from '../../../plugin/devnet/devnet-contract.ts'

const minutes = (count: number): number => count * 60_000

let devnet: Devnet
let connection: DevnetConnection

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['performance'] })
  devnet = await createDevnet()
  connection = devnet.connect()
})

afterEach(async () => {
  vi.useRealTimers()
  await devnet.close()
})

describe('a filter', () => {
  it('lives as long as it is asked every five minutes, and no longer', async () => {
    const id = await connection.request('eth_newBlockFilter')
    // The head is there from the start.
    expect(await connection.request('eth_getFilterChanges', [id])).toHaveLength(1)
    for (let round = 0; round < 3; round++) {
      vi.advanceTimersByTime(minutes(4))
      await connection.request('evm_mine')
      expect(await connection.request('eth_getFilterChanges', [id])).toHaveLength(1)
    }
    vi.advanceTimersByTime(minutes(5) + 1)
    await connection.request('evm_mine')
    expect(await connection.request('eth_getFilterChanges', [id])).toBeNull()
    expect(await connection.request('eth_uninstallFilter', [id])).toBe(false)
  })

  it('makes room for another one when it is forgotten, and not before', async () => {
    const create = () => connection.request('eth_newBlockFilter')
    for (let count = 0; count < 1_000; count++) await create()
    await expect(create()).rejects.toMatchObject({ code: -32005 })
    vi.advanceTimersByTime(minutes(5) + 1)
    await create()
  })

  it('is not a subscription, which nobody asks', async () => {
    const heard: unknown[] = []
    connection.onNotification((notification) => heard.push(notification))
    const subscription = await connection.request('eth_subscribe', ['newHeads'])
    vi.advanceTimersByTime(minutes(60))
    await connection.request('evm_mine')
    expect(heard).toMatchObject([{ subscription }])
  })
})
