// Holds the report to what the workers counted: each counter where it belongs.
import { describe, expect, it } from 'vitest'

import { emptyReport } from '../../../src/block/report.ts'
import { readStatistics } from '../../../src/block/worker-statistics.ts'
import { CONTROL, controlWords, LOCATION } from '../../../src/memory/layout.ts'

function reportOf(counted: Partial<Record<number, number>>, transactions = 10) {
  const control = new Int32Array(controlWords(transactions))
  for (const [index, count] of Object.entries(counted)) control[Number(index)] = count!
  const report = emptyReport('parallel', 'for the test', transactions, 'javascript')
  // The second has not ended well.
  const holed: number[] = []
  holed[0] = 5
  holed[2] = 7
  readStatistics(control, 3, report, { crypto: 'native', collectorMs: holed })
  return report
}

describe('the statistics of the workers', () => {
  it('say how often transactions ran, and how often again', () => {
    expect(reportOf({ [CONTROL.EXECUTIONS]: 14 })).toMatchObject({
      workers: 3,
      crypto: 'native',
      collectorMs: [5, 0, 7],
      transactions: 10,
      executions: 14,
      reExecutions: 4,
    })
  })

  it('of a block that was broken off have no repetitions below none', () => {
    expect(reportOf({ [CONTROL.EXECUTIONS]: 4 })).toMatchObject({ executions: 4, reExecutions: 0 })
  })

  it('call failed validations conflicts, and waits for a lower transaction too', () => {
    const { conflicts } = reportOf({
      [CONTROL.FAILED_VALIDATIONS]: 5,
      [CONTROL.ESTIMATE_WAITS]: 7,
      [CONTROL.BASE_WAITS]: 100,
    })
    expect(conflicts).toBe(12)
  })

  it('tell failed validations by what had changed', () => {
    const counted: Record<number, number> = {}
    for (const kind of Object.values(LOCATION)) counted[CONTROL.REFUTED + kind] = 20 + kind
    expect(reportOf(counted).causes).toEqual({
      existence: 20 + LOCATION.EXISTS,
      balance: 20 + LOCATION.BALANCE,
      nonce: 20 + LOCATION.NONCE,
      code: 20 + LOCATION.CODE,
      reset: 20 + LOCATION.RESET,
      slot: 20 + LOCATION.SLOT,
    })
  })
})
