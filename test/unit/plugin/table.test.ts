// The table that parallel-bench prints.
import { describe, expect, it } from 'vitest'
import { renderColumnTitles, renderHeader, renderRow } from '../../../plugin/bench/table.ts'
import { predicted, reportWith, rowWith } from './support/report.ts'

describe('the header', () => {
  it('says machine, versions, seed, runs and schedulers', () => {
    const header = renderHeader(reportWith([])).join('\n')
    expect(header).toContain('machine   Some CPU, 2 cores, 16 GiB, linux x64')
    expect(header).toContain(
      'versions  Node 24.0.0, parallel-evm 0.1.0, @ethereumjs/vm 10.1.3, hardhat 3.17.0',
    )
    expect(header).toContain(
      'options   seed 7, 5 runs, 300 transactions per generated block, workers 1, 2, scheduler auto',
    )
    expect(header).toContain('crypto    signatures by native secp256k1, hashes by WebAssembly')
    const compared = reportWith([], [], { schedulers: ['optimistic', 'graph'] })
    expect(renderHeader(compared).join('\n')).toContain('schedulers optimistic, graph')
  })

  it('says so where signatures are slower than they could be', () => {
    const report = reportWith([])
    for (const [crypto, text] of [
      ['wasm', 'signatures by WebAssembly (no native secp256k1'],
      ['javascript', 'signatures by JavaScript (no faster secp256k1'],
    ] as const) {
      const header = renderHeader({ ...report, machine: { ...report.machine, crypto } })
      expect(header.join('\n')).toContain(`crypto    ${text}`)
    }
  })
})

describe('the table', () => {
  it("has a line of stock's and one of each contender, under titles of the same width", () => {
    const [titles, rule] = renderColumnTitles()
    const blind = { scheduler: 'optimistic', state: 'flat', workers: 2 } as const
    const lines = renderRow(
      rowWith(
        {},
        {},
        { ...blind, total: 502.2, cpu: 903.9, speedUp: 2, conflicts: 12, reExecutions: 7.5 },
      ),
    )
    expect([titles, ...lines]).toEqual([
      'workload            txs   Mgas  scheduler       workers      ms      speed-up    CPU re-runs conflicts levels planned  right  found  equal',
      'erc20               300  15.48  stock                      1004                110 %  recovery 540, execution 400, root 64.1',
      '                                auto                  1    80.0         1.25x  125 %       0         0      1       -      -      -    yes',
      '                                optimistic flat       2     502         2.00x  180 %       8        12      1       -      -      -    yes',
    ])
    expect(rule).toHaveLength(titles!.length)
  })

  it('shows the planned levels next to the real ones, and how good the predictions were', () => {
    const [, line] = renderRow(rowWith({}, { ...predicted, levels: 12 }))
    expect(line).toMatch(/ 0 +0 +12 +10 +98 % +95 % +yes$/)
  })

  it('calls predictions 100 % right only where all were', () => {
    const shares = { precision: 0.9999, recall: 1 }
    const access = { ...predicted.access, ...shares }
    const [, line] = renderRow(rowWith({}, { ...predicted, access }))
    expect(line).toMatch(/ 99 % +100 % +yes$/)
  })

  it('is at most 140 columns wide, marks and details aside', () => {
    expect(renderColumnTitles()[0]!.length).toBeLessThanOrEqual(140)
  })

  it('marks a row that loses and one that did not run in parallel', () => {
    const [, line] = renderRow(rowWith({}, { speedUp: 0.8, mode: 'inline' }))
    expect(line).toContain(' 0.80x slower ')
    expect(line).toMatch(/yes {2}inline$/)
  })

  it('marks a row whose runs fell back', () => {
    const [, line] = renderRow(rowWith({}, { fallbacks: 2 }))
    expect(line).toMatch(/yes {2}fell back in 2 of 0 runs$/)
  })

  it('marks a result that is not equal, and one that there is none of', () => {
    const [, line] = renderRow(
      rowWith(
        {},
        { total: null, cpu: null, speedUp: null, levels: null, mode: null, isEqual: false },
      ),
    )
    expect(line).toMatch(/ - +- +- +0 +0 +- +- +- +- +NO$/)
  })
})
