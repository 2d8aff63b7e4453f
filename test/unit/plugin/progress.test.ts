// How the benchmark shows its progress on a terminal and elsewhere.
import { describe, expect, it } from 'vitest'
import { createProgress } from '../../../plugin/bench/progress.ts'

function createStream(isTTY: boolean, columns?: number) {
  const written: string[] = []
  return {
    written,
    isTTY,
    ...(columns === undefined ? {} : { columns }),
    write: (text: string) => written.push(text),
  }
}

const ERASE = '\r\u001b[2K'

describe('progress', () => {
  it('is a bar on a terminal, redrawn in place with share, time and step', () => {
    const stream = createStream(true, 120)
    let time = 0
    const progress = createProgress(stream, { rows: 1, steps: 4 }, () => time)
    progress.row('mint')
    progress.step('mint: preparing')
    time = 61_000
    progress.step('mint: stock, warm-up')
    expect(stream.written).toEqual([
      `${ERASE}${'░'.repeat(24)}   0 % 0:00  mint: preparing`,
      `${ERASE}${'█'.repeat(6)}${'░'.repeat(18)}  25 % 1:01  mint: stock, warm-up`,
    ])
  })

  it('never wraps, and disappears before other output', () => {
    const stream = createStream(true, 40)
    const progress = createProgress(stream, { rows: 1, steps: 1 })
    progress.step('a description far too long for a narrow terminal')
    progress.step('more steps than planned')
    for (const text of stream.written) expect(text.length).toBeLessThan(40 + ERASE.length)
    progress.clear()
    progress.clear()
    expect(stream.written.slice(2)).toEqual([ERASE])
  })

  it('is one plain line for each row where there is no terminal', () => {
    const stream = createStream(false)
    const progress = createProgress(stream, { rows: 2, steps: 10 })
    progress.row('erc20')
    progress.step('erc20: preparing')
    progress.clear()
    progress.row('mint')
    expect(stream.written).toEqual([
      'parallel-bench: 1 of 2, erc20\n',
      'parallel-bench: 2 of 2, mint\n',
    ])
  })
})
