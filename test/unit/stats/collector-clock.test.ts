// The collector's clock against collections that are known to have happened.
// It must not say how long a collection takes: only that there was one.
import { setImmediate as nextTurn } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'

import { startCollectorClock } from '../../../src/stats/collector-clock.ts'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

describe('the clock of the garbage collector', () => {
  it('counts the pauses since it was last asked', async () => {
    const paused = startCollectorClock()
    collect()
    await nextTurn()
    await nextTurn()
    expect(paused()).toBeGreaterThan(0)
  })

  it('begins anew each time', async () => {
    const paused = startCollectorClock()
    collect()
    await nextTurn()
    await nextTurn()
    const first = paused()
    const second = paused()
    expect(second).toBeLessThan(first)
  })
})
