// The sentences that parallel-bench prints below its table.
import { describe, expect, it } from 'vitest'
import { renderFailures, renderSummary } from '../../../plugin/bench/summary.ts'
import { reportWith, reRuns, rowWith } from './support/report.ts'

describe('the summary', () => {
  it('ends with the losers, the reasons, the notes and the equality', () => {
    const rows = [
      rowWith({}, { speedUp: 0.8 }),
      rowWith({ name: 'mint' }, { speedUp: 0.9, mode: 'inline', why: 'the block is tiny' }),
    ]
    const report = reportWith(rows, ['one block is left out'], { workers: [1] })
    expect(renderSummary(report)).toEqual([
      '',
      'Slower than stock: erc20 (auto, 1 worker, 0.80x), mint (auto, 1 worker, 0.90x).',
      'Re-runs over all rows: 1 worker: auto 0',
      'Note: mint ran inline: the block is tiny',
      'Note: one block is left out',
      'Equal to stock on every run: state root, receipts, bloom, gas used, requests (10 runs).',
    ])
  })

  it('counts the runs of every scheduler', () => {
    const schedulers = ['optimistic', 'graph'] as const
    const report = reportWith([rowWith({}, {})], [], { schedulers })
    expect(renderSummary(report).at(-1)).toContain('(20 runs)')
  })

  it('sums up the mainnet blocks for each scheduler', () => {
    const block = (name: string) =>
      rowWith(
        { workload: 'mainnet', name },
        { scheduler: 'optimistic', total: 1004.4 },
        { scheduler: 'graph', total: 502.2 },
        { scheduler: 'optimistic', workers: 2, total: null },
        { scheduler: 'graph', workers: 2, total: 251.1 },
      )
    const rows = [block('mainnet 1'), block('mainnet 2')]
    const lines = renderSummary(reportWith(rows, [], { schedulers: ['optimistic', 'graph'] }))
    expect(lines.slice(1, 4)).toEqual([
      'mainnet, 2 blocks: stock 2009 ms, optimistic with 1 worker 2009 ms (1.00x), 2 workers incomplete',
      'mainnet, 2 blocks: stock 2009 ms, graph with 1 worker 1004 ms (2.00x), 2 workers 502 ms (4.00x)',
      'No row is slower than stock.',
    ])
  })

  it('sums up re-runs, blind and by predictions, and those of a first pass over mainnet', () => {
    const row = rowWith(
      { workload: 'mainnet' },
      { scheduler: 'optimistic', ...reRuns(702, 700) },
      { scheduler: 'graph', ...reRuns(640, 20) },
      { scheduler: 'optimistic', workers: 2, ...reRuns(null, 710) },
      { scheduler: 'graph', workers: 2, ...reRuns(650, 0) },
    )
    const lines = renderSummary(reportWith([row], [], { schedulers: ['optimistic', 'graph'] }))
    expect(lines).toContain(
      'Re-runs over all rows: 1 worker: optimistic 700, graph 20 (optimistic/graph 35.00x); ' +
        '2 workers: optimistic 710, graph 0',
    )
    expect(lines).toContain(
      'Re-runs of mainnet rows, first pass / later passes: ' +
        '1 worker: optimistic 702 / 700, graph 640 / 20; 2 workers: optimistic - / 710, graph 650 / 0',
    )
    const generated = reportWith([rowWith({}, reRuns(1, 1))])
    expect(renderSummary(generated).join('\n')).not.toContain('first pass')
  })

  it('compares serial rows with themselves on one worker', () => {
    const row = rowWith(
      { name: 'mint' },
      { levels: 300, total: 100 },
      { workers: 2, levels: 300, total: 80 },
    )
    expect(renderSummary(reportWith([row]))).toContain(
      'Serial: mint, auto: 2 workers 80.0 ms, 1 worker 100 ms (1.25x)',
    )
  })

  it('counts the rows of a long list instead of naming each', () => {
    const rows = Array.from({ length: 9 }, (_, index) =>
      rowWith({ name: `row ${index}` }, { speedUp: 0.5 }),
    )
    expect(renderSummary(reportWith(rows))[1]).toMatch(
      /row 5 \(auto, 1 worker, 0.50x\) and 3 more\.$/,
    )
  })

  it('is loud about every unequal run, and claims nothing then', () => {
    const report = reportWith([
      rowWith({}, { isEqual: false, failures: ['run 1 of 5: gas used is 1 instead of 2'] }),
      rowWith({ name: 'mint' }, { scheduler: 'graph', isEqual: false }),
    ])
    const text = renderFailures(report).join('\n')
    expect(text).toContain('NOT EQUAL TO STOCK ETHEREUMJS')
    expect(text).toContain('  erc20, auto, 1 worker, run 1 of 5: gas used is 1 instead of 2')
    expect(text).toContain('  mint, graph, 1 worker: no run completed')
    expect(renderSummary(report).join('\n')).not.toContain('Equal to stock')
    expect(renderFailures(reportWith([rowWith({}, {})]))).toEqual([])
  })
})
