// What the benchmark makes of the predictions of several runs.
import { describe, expect, it } from 'vitest'
import { accessOf, causesOf, graphOf, medianFields } from '../../../plugin/bench/foresight.ts'
import { reportOf } from './support/stand-in-executor.ts'

const reports = [0, 1, 2].map((run) => reportOf(2, 10, 'graph', run))
const blind = [reportOf(2, 10, 'optimistic')]

describe('the predictions of several runs', () => {
  it('are summed up by medians, field by field', () => {
    expect(
      medianFields([
        { a: 1, b: 9 },
        { a: 3, b: 1 },
        { a: 2, b: 4 },
      ]),
    ).toEqual({ a: 2, b: 4 })
    expect(graphOf(reports)).toEqual({ levels: 5, criticalGas: 400, bound: 2.5 })
    expect(accessOf(reports, new Map())).toMatchObject({ precision: 0.75, recall: 0.8, missed: 2 })
    expect(causesOf(reports)).toMatchObject({ slot: 2, nonce: 1, balance: 0 })
  })

  it('have the hottest locations of the last run, by the names of contracts', () => {
    const names = new Map([[`0x${'ab'.repeat(20)}`, 'Pool 1']])
    const [hottest, ...others] = accessOf(reports, names)!.hottest
    expect(hottest).toMatchObject({ contract: 'Pool 1', writers: 5 })
    expect(others).toEqual([])
  })

  it('are none where nothing was predicted, and of the runs that predicted elsewhere', () => {
    expect(graphOf(blind)).toBeNull()
    expect(accessOf(blind, new Map())).toBeNull()
    expect(graphOf([...blind, ...reports])).toEqual(graphOf(reports))
    expect(causesOf([])).toBeNull()
  })
})
