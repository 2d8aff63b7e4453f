// What parallel-bench prints below a row: predictions, failed validations, the hottest location.
import { describe, expect, it } from 'vitest'
import { renderDetails, renderHottest } from '../../../plugin/bench/details.ts'
import { renderColumnTitles } from '../../../plugin/bench/table.ts'
import { predicted, rowWith } from './support/report.ts'

const causes = { existence: 0, balance: 1, nonce: 0, code: 0, reset: 0, slot: 2.5 }

describe('the details of a row', () => {
  it('are a line for each scheduler, from the contender with the most workers', () => {
    const row = rowWith(
      {},
      { scheduler: 'optimistic', causes },
      { ...predicted, causes },
      { scheduler: 'optimistic', workers: 2, causes: { ...causes, slot: 297, balance: 300 } },
      { ...predicted, workers: 2, causes },
    )
    expect(renderDetails(row)).toEqual([
      '    optimistic, 2 workers: failed validations: balance 300, slot 297',
      '    graph, 2 workers: bound 30.00x; planned in 0.5 ms, learned in 0.3 ms; ' +
        'failed validations: slot 3, balance 1;',
      '                      hottest: slot 2 of Pool 1 (120 writers, 1 reader)',
    ])
    for (const line of renderDetails(row)) {
      expect(line.length).toBeLessThanOrEqual(renderColumnTitles()[0]!.length)
    }
  })

  it('say for how long the collectors of garbage have stopped the workers', () => {
    const measured = { scheduler: 'optimistic', workers: 2, collectorMs: [12.34, 0] } as const
    expect(renderDetails(rowWith({}, measured))).toEqual([
      '    optimistic, 2 workers: garbage 12.3 + 0.0 ms',
    ])
  })

  it('tell contenders with different states apart', () => {
    const flat = { ...predicted, state: 'flat', access: null } as const
    const lines = renderDetails(rowWith({}, { ...predicted, access: null }, flat))
    expect(lines.map((line) => line.split(':')[0])).toEqual([
      '    graph, 1 worker',
      '    graph flat, 1 worker',
    ])
  })

  it('are nothing where nothing was predicted and nothing failed', () => {
    expect(renderDetails(rowWith({}, { scheduler: 'optimistic' }))).toEqual([])
    expect(renderDetails(rowWith({}, { total: null, causes: null, phases: null }))).toEqual([])
  })

  it('name no hottest location where transactions did not meet', () => {
    const access = { ...predicted.access, hottest: [] }
    expect(renderDetails(rowWith({}, { ...predicted, access }))).toEqual([
      '    graph, 1 worker: bound 30.00x; planned in 0.5 ms, learned in 0.3 ms',
    ])
  })
})

describe('the hottest locations of a row', () => {
  it('are listed with who touched them, from the last contender that found any', () => {
    const none = { ...predicted, workers: 4, access: { ...predicted.access, hottest: [] } }
    const blind = { scheduler: 'optimistic', workers: 8 } as const
    const row = rowWith({}, predicted, { ...predicted, workers: 2 }, none, blind)
    expect(renderHottest(row)).toEqual([
      '    hottest locations (graph, 2 workers):',
      '      writers  readers   adders',
      '          120        1        0  slot 2 of Pool 1',
      '           12        0        0  slot 0xc3c3c3c3…c3c3c3c3 of 0xb2b2b2b2…b2b2b2b2',
      '            0        2        7  balance of 0xb2b2b2b2…b2b2b2b2',
    ])
  })

  it('are nothing where nobody predicted', () => {
    expect(renderHottest(rowWith({}, { scheduler: 'optimistic' }))).toEqual([])
  })
})
