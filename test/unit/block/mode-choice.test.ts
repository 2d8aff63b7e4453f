// Holds the choice between parallel and inline to what earlier blocks cost.
import { describe, expect, it } from 'vitest'

import { ModeChoice } from '../../../src/block/mode-choice.ts'

const anyDepth = Number.POSITIVE_INFINITY
const serial = { levels: 10, criticalGas: 1000, totalGas: 1000 }
const halves = { levels: 5, criticalGas: 500, totalGas: 1000 }

/** Runs serial blocks as chosen, at these costs; returns for each whether it ran inline. */
function play(blocks: number, inlineMs: number, parallelMs: number): boolean[] {
  const choice = new ModeChoice(2, anyDepth)
  return Array.from({ length: blocks }, () => {
    const isInline = choice.whyInline(serial) !== undefined
    choice.learn(isInline ? 'inline' : 'parallel', serial, isInline ? inlineMs : parallelMs)
    return isInline
  })
}

describe('the choice of a mode', () => {
  it('is parallel as long as nothing was measured', () => {
    expect(new ModeChoice(2, anyDepth).whyInline(serial)).toBeUndefined()
  })

  it('is parallel wherever the graph promises a speed-up, whatever inline costs', () => {
    const choice = new ModeChoice(2, anyDepth)
    choice.learn('parallel', halves, 100)
    choice.learn('inline', halves, 1)
    for (let i = 0; i < 100; i++) expect(choice.whyInline(halves)).toBeUndefined()
  })

  it('tries serial blocks inline once in a while, and goes back where that is dearer', () => {
    const modes = play(100, 200, 100)
    expect(modes.filter(Boolean)).toHaveLength(3)
    expect(modes[0]).toBe(false)
  })

  it('stays inline for serial blocks where that is cheaper, and tries the other once in a while', () => {
    const modes = play(100, 50, 100)
    const first = modes.indexOf(true)
    expect(modes.slice(first).filter((isInline) => !isInline)).toHaveLength(2)
  })

  it('says why, with the predicted speed-up', () => {
    const choice = new ModeChoice(2, anyDepth)
    choice.learn('parallel', serial, 100)
    choice.learn('inline', serial, 10)
    expect(choice.whyInline(serial)).toBe(
      'predicted speed-up 1.00: inline took less for such blocks',
    )
  })

  it('is inline for chains above maxDependencyDepth', () => {
    const choice = new ModeChoice(2, 4)
    expect(choice.whyInline(halves)).toContain('5 transactions, above maxDependencyDepth')
    expect(new ModeChoice(2, 5).whyInline(halves)).toBeUndefined()
  })
})
