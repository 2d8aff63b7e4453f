// Holds the options of parallel-node to their messages and to what they change.
// The authority on what a typing error is answered with.
// Must not start anything.
import { resolve } from 'node:path'
import { describe, expect, it } from 'vitest'

import type { DevnetOptions } from '../../../plugin/devnet/devnet-contract.ts'
import { type NodeArguments, parseNodeOptions } from '../../../plugin/node/options.ts'

const none: NodeArguments = {
  port: 8545,
  hostname: '127.0.0.1',
  chainId: -1,
  blockTime: -1,
  noMining: false,
  order: undefined,
  workers: -1,
  accounts: -1,
  dataDir: undefined,
  cors: undefined,
  allowedHosts: undefined,
  maxConnections: 256,
  quiet: false,
}
const configured: DevnetOptions = {
  chainId: 5,
  workers: 3,
  accounts: { mnemonic: 'm', count: 2 },
  mining: { auto: true, interval: 0, order: 'fifo' },
}
const changed = (given: Partial<NodeArguments>): DevnetOptions =>
  parseNodeOptions({ ...none, ...given }).change(configured)

describe('options that are not given', () => {
  it('leave the config as it is', () => {
    expect(changed({})).toEqual(configured)
  })
})

describe('options that are given', () => {
  it('go before the config', () => {
    const given = { chainId: 7, workers: 1, accounts: 4, order: 'priority', dataDir: 'kept' }
    expect(changed(given)).toEqual({
      chainId: 7,
      workers: 1,
      accounts: { mnemonic: 'm', count: 4 },
      mining: { auto: true, interval: 0, order: 'priority' },
      dataDir: resolve('kept'),
    })
  })

  it('for mining turn the other ways of it off', () => {
    expect(changed({ blockTime: 500 }).mining).toMatchObject({ auto: false, interval: 500 })
    expect(changed({ blockTime: 0 }).mining).toMatchObject({ auto: true, interval: 0 })
    expect(changed({ noMining: true }).mining).toMatchObject({ auto: false, interval: 0 })
  })

  it('are lists where they are many, and origins as browsers write them', () => {
    const options = parseNodeOptions({
      ...none,
      cors: ' http://LOCALHOST:3000/ , https://a.example',
      allowedHosts: 'a.lan,,b.lan',
    })
    expect(options.allowedOrigins).toEqual(['http://localhost:3000', 'https://a.example'])
    expect(options.allowedHosts).toEqual(['a.lan', 'b.lan'])
  })
})

describe('a wrong option', () => {
  it.each<[Partial<NodeArguments>, string]>([
    [{ port: 65_536 }, '--port must be an integer from 0 to 65535, not 65536'],
    [{ hostname: '' }, '--hostname'],
    [{ chainId: 0 }, '--chain-id'],
    [{ blockTime: -2 }, '--block-time'],
    [{ workers: 65 }, '--workers'],
    [{ accounts: -3 }, '--accounts'],
    [{ order: 'best' }, '--order must be one of priority, fifo, not "best"'],
    [{ dataDir: '' }, '--data-dir'],
    [{ cors: 'localhost' }, '--cors: "localhost" is no origin'],
    [{ maxConnections: 0 }, '--max-connections'],
    [{ noMining: true, blockTime: 100 }, '--no-mining and --block-time'],
  ])('%j is named', (given, message) => {
    expect(() => parseNodeOptions({ ...none, ...given })).toThrow(message)
  })

  it('is a number of accounts where keys are configured', () => {
    const { change } = parseNodeOptions({ ...none, accounts: 3 })
    expect(() => change({ accounts: { privateKeys: ['0x1'] } })).toThrow('--accounts')
  })
})
