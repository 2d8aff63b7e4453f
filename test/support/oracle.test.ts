// Proves that the judge can say no: results with one thing changed must each be found different.
// Without this a comparison that forgot a field would pass everything, silently.
import { EVMError } from '@ethereumjs/evm'
import type { RunBlockResult } from '@ethereumjs/vm'
import { Bloom, runBlock } from '@ethereumjs/vm'
import { beforeAll, describe, expect, it } from 'vitest'

import { loadMainnetBlock } from './mainnet.ts'
import { compareOutcomes, compareResults, sameError } from './oracle.ts'

const path = new URL('../fixtures/mainnet/19933122.json.gz', import.meta.url).pathname

type Mutable<T> = { -readonly [K in keyof T]: T[K] }

describe('the oracle', () => {
  let first: RunBlockResult
  let second: RunBlockResult

  beforeAll(async () => {
    const mainnet = await loadMainnetBlock(path)
    const run = async (): Promise<RunBlockResult> =>
      await runBlock(await mainnet.makeVm(), { ...mainnet.runOptions, block: mainnet.block })
    first = await run()
    second = await run()
  })

  function withChange(change: (result: Mutable<RunBlockResult>) => void): string[] {
    const copy = { ...second, receipts: [...second.receipts], results: [...second.results] }
    change(copy)
    return compareResults(first, copy)
  }

  it('finds two runs of stock equal', () => {
    expect(compareResults(first, second)).toEqual([])
  })

  it('names the path of one changed byte, number, key, member and order', () => {
    const index = second.results.findIndex(({ execResult }) => (execResult.logs?.length ?? 0) > 1)
    const result = second.results[index]!
    const changes: [string, (copy: Mutable<RunBlockResult>) => void][] = [
      ['result.stateRoot', (copy) => (copy.stateRoot = new Uint8Array(32))],
      ['result.gasUsed', (copy) => copy.gasUsed++],
      ['result.receipts.length', (copy) => copy.receipts.pop()],
      [`result.results[${index}].minerValue`, replace(index, { minerValue: 1n })],
      [`result.results[${index}].bloom`, replace(index, { bloom: new Bloom() })],
      [
        `result.results[${index}].execResult.logs`,
        replace(index, {
          execResult: { ...result.execResult, logs: [...result.execResult.logs!].reverse() },
        }),
      ],
      [
        `result.results[${index}].execResult.selfdestruct`,
        replace(index, {
          execResult: { ...result.execResult, selfdestruct: new Map([['0x', '0x']]) },
        }),
      ],
      [
        `result.results[${index}].execResult.exceptionError`,
        replace(index, {
          execResult: {
            ...result.execResult,
            exceptionError: new EVMError(EVMError.errorMessages.OUT_OF_GAS),
          },
        }),
      ],
      [
        `result.results[${index}].accessList: stock has no such key`,
        replace(index, { accessList: undefined }),
      ],
    ]
    for (const [where, change] of changes) {
      expect(withChange(change).join('\n'), where).toContain(where)
    }
  })

  it('minds that a key with undefined is not a missing key', () => {
    const { requests: _, ...without } = second
    expect(compareResults(first, without)).toEqual([
      'result.requests: stock undefined, ours have no such key',
    ])
  })

  it('tells a result from a refusal, and one refusal from another', () => {
    const error = new Error('invalid receiptTrie')
    expect(
      compareOutcomes({ kind: 'result', result: first }, { kind: 'error', error }),
    ).toHaveLength(1)
    expect(sameError(error, new Error('invalid receiptTrie'))).toEqual([])
    expect(sameError(error, new Error('invalid bloom'))).toHaveLength(1)
  })

  function replace(index: number, fields: object) {
    return (copy: Mutable<RunBlockResult>): void => {
      copy.results[index] = { ...copy.results[index]!, ...fields }
    }
  }
})
