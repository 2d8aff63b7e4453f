// Holds the framing to JSON-RPC 2.0, request by request, and to never failing on made-up text.
// The authority on what malformed requests are answered with.
// Must not need a server.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { RpcError } from '../../../plugin/devnet/rpc-error.ts'
import { answerText, type FramingOptions } from '../../../plugin/node/json-rpc.ts'

const called: string[] = []
const internal: unknown[] = []
const options: FramingOptions = {
  batchLength: 5,
  responseCharacters: 1_000,
  onInternalError: (error) => internal.push(error),
  handle: async (method, params) => {
    called.push(method)
    switch (method) {
      case 'echo':
        return params
      case 'nothing':
        return undefined
      case 'no':
        throw new RpcError(3, 'it says no', '0x1234')
      case 'plain-no':
        throw new RpcError(-32000, 'it says no')
      case 'bigint':
        return { value: 1n }
      case 'bigint-data':
        throw new RpcError(-32000, 'it says no', { value: 1n })
      case 'long':
        return 'x'.repeat(600)
      default:
        throw new Error('broken')
    }
  },
}

async function ask(message: unknown): Promise<unknown> {
  const text = typeof message === 'string' ? message : JSON.stringify(message)
  const answer = await answerText(text, options)
  return answer === undefined ? undefined : JSON.parse(answer)
}

const call = (method: string, id?: unknown, params: unknown = []) => ({
  jsonrpc: '2.0',
  method,
  params,
  ...(id === undefined ? {} : { id }),
})
const error = (code: number, id: unknown = null, message: unknown = expect.any(String)) => ({
  jsonrpc: '2.0',
  id,
  error: { code, message },
})

describe('a request', () => {
  it.each([[7], ['seven'], [0], [-1], [1.5], [''], [null], [2 ** 53 - 1]])(
    'gets its id %j back',
    async (id) => {
      expect(await ask(call('echo', id, [1, 'a']))).toEqual({
        jsonrpc: '2.0',
        id,
        result: [1, 'a'],
      })
    },
  )

  it.each([['{}'], ['[]'], ['true'], ['9007199254740993'], ['1e400']])(
    'with the id %s is invalid, and has no id to answer to',
    async (id) => {
      expect(await ask(`{"jsonrpc":"2.0","method":"echo","id":${id}}`)).toEqual(error(-32600))
    },
  )

  it('without params is called with none', async () => {
    expect(await ask({ jsonrpc: '2.0', method: 'echo', id: 1 })).toMatchObject({ result: [] })
  })

  it('without a result is answered with null', async () => {
    expect(await ask(call('nothing', 1))).toEqual({ jsonrpc: '2.0', id: 1, result: null })
  })

  it('with params by name or of another type is told that they must be an array', async () => {
    for (const params of [{ a: 1 }, null, 'a', 1]) {
      expect(await ask(call('echo', 1, params))).toEqual(
        error(-32602, 1, 'Invalid params: "params" must be an array'),
      )
    }
  })

  it('of another version or without a method is invalid, under its own id', async () => {
    expect(await ask({ method: 'echo', id: 4 })).toEqual(error(-32600, 4))
    expect(await ask({ jsonrpc: '1.0', method: 'echo', id: 4 })).toEqual(error(-32600, 4))
    expect(await ask({ jsonrpc: '2.0', id: 4 })).toEqual(error(-32600, 4))
    expect(await ask({ jsonrpc: '2.0', method: 1, id: 4 })).toEqual(error(-32600, 4))
  })

  it('that is no object is invalid', async () => {
    for (const message of [1, null, true, '"text"'])
      expect(await ask(message)).toEqual(error(-32600))
  })

  it('that is no JSON is a parse error', async () => {
    for (const text of ['', '{', 'eth_blockNumber', '{"jsonrpc": "2.0", "method"', '\u0000']) {
      expect(await ask(text)).toEqual(error(-32700))
    }
  })
})

describe('an error', () => {
  it('of the devnet goes out with its code, message and data', async () => {
    expect(await ask(call('no', 1))).toEqual({
      jsonrpc: '2.0',
      id: 1,
      error: { code: 3, message: 'it says no', data: '0x1234' },
    })
  })

  it('without data has none', async () => {
    const answer = await ask(call('plain-no', 1))
    expect(answer).toEqual(error(-32000, 1, 'it says no'))
    expect(Object.keys((answer as { error: object }).error)).toEqual(['code', 'message'])
  })

  it('that nobody foresaw is an internal one, and is announced', async () => {
    internal.length = 0
    expect(await ask(call('break', 1))).toEqual(error(-32603, 1, 'Internal error: broken'))
    expect(internal).toEqual([expect.objectContaining({ message: 'broken' })])
  })

  it('is made of results and data that no JSON can hold', async () => {
    expect(await ask(call('bigint', 1))).toEqual(error(-32603, 1))
    expect(await ask(call('bigint-data', 1))).toEqual(error(-32000, 1, 'it says no'))
  })
})

describe('a notification', () => {
  it('is carried out and not answered, whatever comes of it', async () => {
    called.length = 0
    for (const method of ['echo', 'no', 'break', 'bigint']) {
      expect(await ask(call(method))).toBeUndefined()
    }
    expect(called).toEqual(['echo', 'no', 'break', 'bigint'])
  })

  it('that is malformed is answered all the same, since it may have been meant as a request', async () => {
    expect(await ask({ method: 'echo' })).toEqual(error(-32600))
  })
})

describe('a batch', () => {
  it('is answered in its order, without its notifications', async () => {
    expect(await ask([call('echo', 1, ['a']), call('echo'), 1, call('no', 2)])).toEqual([
      { jsonrpc: '2.0', id: 1, result: ['a'] },
      error(-32600),
      { jsonrpc: '2.0', id: 2, error: { code: 3, message: 'it says no', data: '0x1234' } },
    ])
  })

  it('of notifications only is not answered', async () => {
    expect(await ask([call('echo'), call('no')])).toBeUndefined()
  })

  it('that is empty is one invalid request', async () => {
    expect(await ask([])).toEqual(error(-32600))
  })

  it('that is longer than allowed is refused as a whole, before any of it is carried out', async () => {
    called.length = 0
    expect(await ask(Array.from({ length: 6 }, (_, id) => call('echo', id)))).toEqual(
      error(-32600, null, expect.stringContaining('at most 5')),
    )
    expect(called).toEqual([])
  })

  it('in a batch is an invalid request', async () => {
    expect(await ask([[call('echo', 1)]])).toEqual([error(-32600)])
  })

  it('whose answers get too long has errors from there on, and carries out no more than fit', async () => {
    called.length = 0
    const answers = await ask([call('long', 1), call('long', 2), call('echo', 3)])
    expect(answers).toEqual([
      expect.objectContaining({ id: 1, result: expect.any(String) }),
      error(-32005, 2, expect.stringContaining('too large')),
      expect.objectContaining({ id: 3 }),
    ])
    expect(called).toEqual(['long', 'long', 'echo'])
  })
})

describe('any text', () => {
  const ids = fc.oneof(fc.string(), fc.integer(), fc.constant(null), fc.object(), fc.double())
  const requests = fc.record(
    {
      jsonrpc: fc.oneof(fc.constant('2.0'), fc.anything()),
      id: ids,
      method: fc.oneof(fc.constantFrom('echo', 'no', 'break'), fc.string(), fc.integer()),
      params: fc.oneof(fc.array(fc.jsonValue()), fc.jsonValue()),
    },
    { requiredKeys: [] },
  )
  const texts = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.json(),
    requests.map((request) => JSON.stringify(request, (_key, value) => printable(value))),
    fc
      .array(requests, { maxLength: 7 })
      .map((batch) => JSON.stringify(batch, (_, value) => printable(value))),
  )

  it('gets a proper answer or none', async () => {
    await fc.assert(
      fc.asyncProperty(texts, async (text) => {
        const answer = await answerText(text, options)
        if (answer === undefined) return
        const parsed: unknown = JSON.parse(answer)
        for (const one of Array.isArray(parsed) ? parsed : [parsed]) {
          expect(one.jsonrpc).toBe('2.0')
          expect('id' in one).toBe(true)
          expect('result' in one).toBe(!('error' in one))
          if ('error' in one) {
            expect(Number.isInteger(one.error.code)).toBe(true)
            expect(typeof one.error.message).toBe('string')
          }
        }
      }),
      { numRuns: 2_000 },
    )
  })
})

function printable(value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value
}
