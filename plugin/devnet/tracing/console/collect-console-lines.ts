// Listens for what contracts print while something runs.
// The authority on which calls are prints: those of the console's address, whether what called them failed or not.
// Must not slow down the run: it looks at calls, not at instructions.
import type { EVM, Message } from '@ethereumjs/evm'
import type { VM } from '@ethereumjs/vm'

import { CONSOLE_ADDRESS, consoleLine } from './console-line.ts'

/** Calls `print` with each line, in order, while `run` runs. */
export async function withConsole<Result>(
  vm: VM,
  print: (line: string) => void,
  run: () => Promise<Result>,
): Promise<Result> {
  const { events } = vm.evm as EVM
  const listener = ({ to, data, depth }: Message): void => {
    // A transaction to that address is no print.
    if (depth === 0 || to?.toString() !== CONSOLE_ADDRESS) return
    const line = consoleLine(data)
    if (line !== undefined) print(line)
  }
  events.on('beforeMessage', listener)
  try {
    return await run()
  } finally {
    events.off('beforeMessage', listener)
  }
}
