// Holds the provider of a parallel network to EIP-1193 and to what Hardhat's plugins use beside it.
// The authority on events, errors and isolation from the devnet's own objects.
// Must not need Hardhat or a chain.
import type { JsonRpcResponse } from 'hardhat/types/providers'
import { describe, expect, it } from 'vitest'

import { RpcError } from '../../../plugin/devnet/rpc-error.ts'
import { ParallelProvider, type RequestChain } from '../../../plugin/network/parallel-provider.ts'
import { createStandInDevnet, type Method } from '../../support/stand-in-devnet.ts'

const straight: RequestChain = (request, last) => last(request)

function createProvider(methods: Record<string, Method> = {}, runHandlers = straight) {
  const devnet = createStandInDevnet(methods)
  const provider = new ParallelProvider(devnet, {
    runHandlers,
    defaultTransactionGasLimit: 16_777_216n,
    isBlockGasLimitEnforced: false,
  })
  return { devnet, provider }
}

describe('a request', () => {
  it('is answered with its result, by each of the three ways to ask', async () => {
    const { provider } = createProvider()
    expect(await provider.request({ method: 'eth_chainId' })).toBe('0x7a69')
    expect(await provider.send('test_echo', [1, 'a'])).toEqual([1, 'a'])
    const answered = Promise.withResolvers<JsonRpcResponse>()
    provider.sendAsync(
      { jsonrpc: '2.0', id: 5, method: 'test_echo', params: [2] },
      (_error, response) => answered.resolve(response),
    )
    expect(await answered.promise).toEqual({ jsonrpc: '2.0', id: 5, result: [2] })
  })

  it('goes through the handlers, which may change it, answer it, or refuse it', async () => {
    const { provider } = createProvider({}, async (request, last) => {
      if (request.method === 'test_mine') return { jsonrpc: '2.0', id: request.id, result: 'mine' }
      if (request.method === 'test_no') {
        const error = { code: -32001, message: 'no', data: 'why' }
        return { jsonrpc: '2.0', id: request.id, error }
      }
      return last({ ...request, params: [...(request.params as unknown[]), 'added'] })
    })
    expect(await provider.send('test_mine')).toBe('mine')
    expect(await provider.send('test_echo', [1])).toEqual([1, 'added'])
    await expect(provider.send('test_no')).rejects.toMatchObject({
      code: -32001,
      message: 'no',
      data: 'why',
    })
  })

  it("is not the caller's object, nor is its answer the devnet's", async () => {
    const kept = { logs: ['a'], nothing: undefined }
    const { provider, devnet } = createProvider({ test_kept: () => kept })
    const given = { from: undefined, to: '0x1' }
    const answer = (await provider.send('test_kept', [given])) as typeof kept
    expect(answer).toStrictEqual({ logs: ['a'] })
    answer.logs.push('b')
    expect(kept.logs).toEqual(['a'])
    expect(devnet.requests[0]?.params).toStrictEqual([{ to: '0x1' }])
  })

  it('with params that are no array is refused', async () => {
    const { provider } = createProvider()
    await expect(provider.request({ method: 'test_echo', params: { a: 1 } })).rejects.toMatchObject(
      {
        code: -32602,
      },
    )
  })
})

describe('an error', () => {
  it('of an execution is a SolidityError with its data and the hash of its transaction', async () => {
    const { provider } = createProvider({
      test_revert: () => {
        throw new RpcError(3, 'reverted', '0x1234', '0xabcd')
      },
    })
    const error = await provider.send('test_revert').catch((reason: unknown) => reason)
    expect(error).toMatchObject({
      name: 'SolidityError',
      code: 3,
      message: 'reverted',
      data: '0x1234',
      transactionHash: '0xabcd',
    })
    expect(error).not.toHaveProperty('_isProviderError')
    expect(error).not.toHaveProperty('cause')
  })

  it.each([
    [-32602, 'InvalidArgumentsError'],
    [-32000, 'ProviderError'],
  ])("with code %i is an %s with Hardhat's mark", async (code, name) => {
    const { provider } = createProvider({
      test_fail: () => {
        throw new RpcError(code, 'no', { reason: 'why' })
      },
    })
    const error = await provider.send('test_fail').catch((reason: unknown) => reason)
    expect(error).toMatchObject({ name, code, message: 'no', data: { reason: 'why' } })
    expect(Object.getOwnPropertyDescriptor(error, '_isProviderError')?.value).toBe(true)
    expect(Object.keys(error as object)).not.toContain('_isProviderError')
  })

  it('that nobody foresaw keeps what it was made of', async () => {
    const cause = new TypeError('a mistake')
    const { provider } = createProvider({
      test_fail: () => {
        throw cause
      },
    })
    await expect(provider.send('test_fail')).rejects.toMatchObject({ code: -32603, cause })
  })

  it('without data and hash has no such properties', async () => {
    const { provider } = createProvider()
    const error = await provider.send('test_unknown').catch((reason: unknown) => reason)
    expect(error).toMatchObject({ code: -32004, message: 'Method test_unknown is not supported' })
    expect(error).not.toHaveProperty('data')
    expect(error).not.toHaveProperty('transactionHash')
  })

  it('is handed to the callback of those who ask with one', async () => {
    const { provider } = createProvider()
    const answered = Promise.withResolvers<JsonRpcResponse>()
    provider.sendAsync({ jsonrpc: '2.0', id: 6, method: 'test_unknown' }, (_error, response) =>
      answered.resolve(response),
    )
    expect(await answered.promise).toMatchObject({ id: 6, error: { code: -32004 } })
  })
})

describe('an event', () => {
  it('is emitted for each notification, in the old form and in the new', async () => {
    const { provider, devnet } = createProvider()
    const [old, current]: unknown[][] = [[], []]
    provider.on('notification', (event) => old?.push(event))
    provider.on('message', (event) => current?.push(event))
    devnet.notify({ subscription: '0x1', result: { number: '0x2' } })
    const data = { subscription: '0x1', result: { number: '0x2' } }
    expect(old).toEqual([data])
    expect(current).toEqual([{ type: 'eth_subscription', data }])
  })

  it('tells of a revert to a snapshot before the request for it is answered', async () => {
    const { provider } = createProvider()
    let isTold = false
    provider.on('hardhatNetworkRevertSnapshot', () => {
      isTold = true
    })
    await provider.send('evm_revert', ['0x1'])
    expect(isTold).toBe(true)
  })
})

describe('a provider', () => {
  it("tells Hardhat's gas handler what it needs to know", async () => {
    const { provider } = createProvider({ evm_setBlockGasLimit: () => true })
    expect(provider.defaultTransactionGasLimit).toBe(16_777_216n)
    expect(provider.isBlockGasLimitEnforced).toBe(false)
    await provider.send('evm_setBlockGasLimit', ['0x1c9c380'])
    expect(provider.isBlockGasLimitEnforced).toBe(true)
  })

  it('closes its devnet once, tells nobody of anything any more, and answers no requests', async () => {
    const { provider, devnet } = createProvider()
    const events: unknown[] = []
    provider.on('notification', (event) => events.push(event))
    await Promise.all([provider.close(), provider.close()])
    expect(devnet.isClosed).toBe(true)
    expect(devnet.open).toBe(0)
    devnet.notify({ subscription: '0x1', result: 1 })
    expect(events).toEqual([])
    await expect(provider.send('eth_chainId')).rejects.toThrow('closed')
  })
})
