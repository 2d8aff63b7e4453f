// Holds a node to what it prints and to how it ends.
// The authority on which keys are printed: those that everybody knows.
// Must not depend on the process: signals and streams are the test's.
import { describe, expect, it } from 'vitest'

import type { NodeOptions } from '../../../plugin/node/options.ts'
import { runNode } from '../../../plugin/node/run-node.ts'
import { accountLines, blockLine, urlOf } from '../../../plugin/node/wording.ts'
import {
  createStandInDevnet,
  KNOWN_ACCOUNT,
  type StandInDevnet,
} from '../../support/stand-in-devnet.ts'

const options: NodeOptions = {
  port: 0,
  hostname: '127.0.0.1',
  allowedOrigins: [],
  allowedHosts: [],
  maxConnections: 10,
  isQuiet: false,
  change: (given) => given,
}

interface RunningNode {
  readonly lines: string[]
  readonly url: string
  end(): Promise<void>
}

async function startNode(devnet: StandInDevnet, given: Partial<NodeOptions>): Promise<RunningNode> {
  const lines: string[] = []
  const interrupt = new AbortController()
  const listening = Promise.withResolvers<string>()
  const ended = runNode(
    devnet,
    { ...options, ...given },
    {
      print: (line) => {
        lines.push(line)
        const url = /http:\S+/.exec(line)?.[0]
        if (url !== undefined) listening.resolve(url)
      },
      printError: (line) => lines.push(`error: ${line}`),
      signal: interrupt.signal,
    },
  )
  ended.catch(listening.reject)
  return {
    lines,
    url: await listening.promise,
    end: () => {
      interrupt.abort()
      return ended
    },
  }
}

describe('a node', () => {
  it('says where it listens, its accounts, and each block; and ends when it is told to', async () => {
    const devnet = createStandInDevnet()
    const node = await startNode(devnet, {})
    devnet.mine({ transactions: 2, gasUsed: 42_000n, buildMs: 1.25 })
    const answer = await fetch(node.url, {
      method: 'POST',
      body: '{"jsonrpc":"2.0","id":1,"method":"eth_blockNumber"}',
    })
    expect(await answer.json()).toMatchObject({ result: '0x1' })
    await node.end()
    const text = node.lines.join('\n')
    expect(text).toContain(`Account #0: ${KNOWN_ACCOUNT.address} (10000 ETH)`)
    expect(text).toContain(KNOWN_ACCOUNT.privateKey)
    expect(text).toContain('Block 1 0x00000000, 2 transactions, 42,000 gas, 1.3 ms')
    expect(text).not.toContain('other machines')
    await expect(fetch(node.url)).rejects.toThrow()
    expect(devnet.open).toBe(0)
    expect(devnet.isClosed).toBe(false)
  })

  it('prints no blocks where it is to be quiet', async () => {
    const devnet = createStandInDevnet()
    const node = await startNode(devnet, { isQuiet: true })
    devnet.mine()
    await node.end()
    expect(node.lines.join('\n')).not.toContain('Block 1')
  })

  it('warns where other machines can reach it', async () => {
    const node = await startNode(createStandInDevnet(), { hostname: '0.0.0.0' })
    await node.end()
    expect(node.lines.join('\n')).toContain('WARNING: other machines can reach this node')
  })

  it('says what keeps it from listening', async () => {
    const first = await startNode(createStandInDevnet(), {})
    const port = Number(new URL(first.url).port)
    await expect(startNode(createStandInDevnet(), { port })).rejects.toThrow(
      `cannot listen on 127.0.0.1:${port}`,
    )
    await first.end()
  })

  it('shows errors of the devnet with their stack', async () => {
    const devnet = createStandInDevnet({
      test_break: () => {
        throw new Error('broken')
      },
    })
    const node = await startNode(devnet, {})
    await fetch(node.url, {
      method: 'POST',
      body: '{"jsonrpc":"2.0","id":1,"method":"test_break"}',
    })
    await node.end()
    expect(node.lines.join('\n')).toMatch(/error: test_break: Error: broken\n +at /)
  })
})

describe('the wording', () => {
  it('keeps private keys to itself that may be real ones', () => {
    const secret = { ...KNOWN_ACCOUNT, privateKey: `0x${'12'.repeat(32)}` }
    const text = accountLines([secret]).join('\n')
    expect(text).toContain(secret.address)
    expect(text).not.toContain('12'.repeat(32))
    expect(accountLines([])).toEqual([])
  })

  it('tells of a parallel block how much faster it was', () => {
    const block = {
      number: 12n,
      hash: `0x${'ab'.repeat(32)}`,
      transactions: 1,
      gasUsed: 1_234_567n,
      buildMs: 100,
      reExecutions: 3,
      workers: 2,
    } as const
    expect(blockLine({ ...block, speedUp: 1.666 })).toBe(
      'Block 12 0xabababab, 1 transaction, 1,234,567 gas, 100.0 ms, 2 workers, speed-up 1.67, 3 re-executions',
    )
    expect(blockLine(block)).toContain('2 workers, 3 re-executions')
  })

  it('puts addresses of version 6 into brackets', () => {
    expect(urlOf('::1', 8545, 'ws')).toBe('ws://[::1]:8545/')
  })
})
