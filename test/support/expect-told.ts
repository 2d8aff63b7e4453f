// What a report has to say of a worker that died.
// Shared by the tests of blocks that are run and of blocks that are built.

import { expect } from 'vitest'
import type { BlockReport } from '../../src/index.ts'

/** What the report says where a worker died before it could answer for transaction `held`. */
export function expectTold({ incidents, fallbackFrom }: BlockReport, held: number): void {
  // None where it replaced an earlier one and had not begun: then whoever replaces it has the task.
  if (incidents.length === 0) {
    expect(fallbackFrom).toBeUndefined()
    return
  }
  expect(incidents).toEqual([expect.stringContaining('A worker died')])
  expect(fallbackFrom).toBeLessThanOrEqual(held)
}
