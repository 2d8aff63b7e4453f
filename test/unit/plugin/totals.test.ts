// What the benchmark adds up over its rows.
import { describe, expect, it } from 'vitest'
import { totalsOf } from '../../../plugin/bench/totals.ts'
import { reRuns, rowWith } from './support/report.ts'

const lists = { schedulers: ['optimistic', 'graph'], workers: [2] } as const
const blind = { scheduler: 'optimistic', workers: 2 } as const
const planned = { scheduler: 'graph', workers: 2 } as const

describe('the re-executions of all rows', () => {
  it('are added up for each contender, the first pass apart from the later ones', () => {
    const rows = [
      rowWith(
        { workload: 'mainnet' },
        { ...blind, ...reRuns(70, 68) },
        { ...planned, ...reRuns(40, 4) },
      ),
      rowWith({}, { ...blind, ...reRuns(30, 32.5) }, { ...planned, ...reRuns(10, 0) }),
    ]
    const { reExecutions, mainnetReExecutions } = totalsOf(rows, lists)
    expect(reExecutions).toEqual([
      { ...blind, firstPass: 100, later: 100.5, blindRatio: null },
      { ...planned, firstPass: 50, later: 4, blindRatio: 25.125 },
    ])
    expect(mainnetReExecutions).toEqual([
      { ...blind, firstPass: 70, later: 68, blindRatio: null },
      { ...planned, firstPass: 40, later: 4, blindRatio: 17 },
    ])
  })

  it('are unknown where a row has none, instead of the sum of the others', () => {
    const rows = [
      rowWith({}, { ...blind, ...reRuns(1, 1) }, { ...planned, ...reRuns(1, 1) }),
      rowWith({}, { ...blind, ...reRuns(null, null) }, { ...planned, ...reRuns(null, 1) }),
    ]
    expect(totalsOf(rows, lists).reExecutions).toEqual([
      { ...blind, firstPass: null, later: null, blindRatio: null },
      { ...planned, firstPass: null, later: 2, blindRatio: null },
    ])
  })

  it('have no ratio where none are left, or where nobody ran without predictions', () => {
    const none = rowWith({}, { ...blind, ...reRuns(9, 9) }, { ...planned, ...reRuns(9, 0) })
    expect(totalsOf([none], lists).reExecutions[1]).toMatchObject({ later: 0, blindRatio: null })
    const alone = rowWith({}, { ...planned, ...reRuns(9, 3) })
    const { reExecutions } = totalsOf([alone], { schedulers: ['graph'], workers: [2] })
    expect(reExecutions).toEqual([{ ...planned, firstPass: 9, later: 3, blindRatio: null }])
  })

  it('have no mainnet part where no row is a mainnet block', () => {
    expect(totalsOf([rowWith({}, blind)], lists).mainnetReExecutions).toEqual([])
  })
})

describe('serial rows', () => {
  const workers = { schedulers: ['auto'], workers: [1, 2, 4] } as const
  const serial = { levels: 300 }

  it('are those whose levels are their transactions, with each worker count against one', () => {
    const rows = [
      rowWith(
        { name: 'mint' },
        { ...serial, workers: 1, total: 100 },
        { ...serial, workers: 2, total: 80 },
        { ...serial, workers: 4, total: 125 },
      ),
      rowWith({}, { workers: 1, levels: 299 }, { workers: 2, levels: 299 }),
    ]
    expect(totalsOf(rows, workers).serialRows).toEqual([
      { name: 'mint', scheduler: 'auto', workers: 2, total: 80, single: 100 },
      { name: 'mint', scheduler: 'auto', workers: 4, total: 125, single: 100 },
    ])
  })

  it('need a run with one worker, and more than one transaction', () => {
    const incomplete = rowWith({}, { ...serial, total: null }, { ...serial, workers: 2 })
    const tiny = rowWith({ transactions: 1 }, { workers: 1 }, { workers: 2 })
    expect(totalsOf([incomplete, tiny], workers).serialRows).toEqual([])
    const many = rowWith({}, { ...serial, workers: 2 }, { ...serial, workers: 4 })
    expect(totalsOf([many], { ...workers, workers: [2, 4] }).serialRows).toEqual([])
  })
})
