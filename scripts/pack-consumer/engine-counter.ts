// Adds one to a counter, in whichever thread: the executor module of engine.ts.
// Must not keep anything from one transaction to the next.
import type { EngineTransaction, StateView } from 'parallel-evm/engine'

export default function increment(state: StateView, { input }: EngineTransaction<string>): number {
  const next = (state.read(input!)?.[0] ?? 0) + 1
  state.write(input!, Uint8Array.of(next))
  return next
}
