// Shows how far the benchmark is: a bar that redraws itself on a terminal, plain lines elsewhere.
// The authority on everything written to stderr while measuring.
// Must not write from timers: a redraw during a measured run would be measured too.
export interface Progress {
  /** A new row begins. */
  row(name: string): void
  /** One more of the expected steps begins; `description` says which. */
  step(description: string): void
  /** Removes the bar, so that a line can be printed; the next step draws it again. */
  clear(): void
}

/** The part of a stream that progress needs. */
export interface ProgressStream {
  readonly isTTY?: boolean
  readonly columns?: number
  write(text: string): unknown
}

export interface ProgressPlan {
  readonly rows: number
  readonly steps: number
}

const BAR_WIDTH = 24
const DEFAULT_COLUMNS = 80
const ERASE_LINE = '\r\u001b[2K'

export function createProgress(
  stream: ProgressStream,
  plan: ProgressPlan,
  now: () => number = () => performance.now(),
): Progress {
  return stream.isTTY === true ? createBar(stream, plan, now) : createLines(stream, plan)
}

function createBar(stream: ProgressStream, { steps }: ProgressPlan, now: () => number): Progress {
  const start = now()
  let done = 0
  let isDrawn = false
  return {
    row() {},
    step(description) {
      const share = Math.min(1, done / Math.max(1, steps))
      const filled = Math.round(share * BAR_WIDTH)
      const bar = '█'.repeat(filled) + '░'.repeat(BAR_WIDTH - filled)
      const percent = `${Math.floor(share * 100)}`.padStart(3)
      const line = `${bar} ${percent} % ${clock(now() - start)}  ${description}`
      // A line that wraps could not be erased.
      stream.write(ERASE_LINE + line.slice(0, (stream.columns ?? DEFAULT_COLUMNS) - 1))
      isDrawn = true
      done++
    },
    clear() {
      if (isDrawn) stream.write(ERASE_LINE)
      isDrawn = false
    },
  }
}

function createLines(stream: ProgressStream, { rows }: ProgressPlan): Progress {
  let current = 0
  return {
    row(name) {
      current++
      stream.write(`parallel-bench: ${current} of ${rows}, ${name}\n`)
    },
    step() {},
    clear() {},
  }
}

function clock(milliseconds: number): string {
  const seconds = Math.floor(milliseconds / 1000)
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`
}
