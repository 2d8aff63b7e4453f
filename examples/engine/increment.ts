// What a transaction does, as a module: worker threads load it, because a function cannot be sent to them.
import type { EngineTransaction, StateView } from 'parallel-evm/engine'

import { addTo } from './numbers.ts'

export default function increment(
  state: StateView,
  { input }: EngineTransaction<{ counter: string }>,
): number {
  return addTo(state, input!.counter, 1)
}
