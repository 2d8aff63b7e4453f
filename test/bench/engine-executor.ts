// A transaction that keeps a core busy and then adds one to its key. For engine.ts, on threads.

import type { StateView } from '../../src/engine/mvcc-transaction.ts'
import type { EngineTransaction } from '../../src/engine/scheduler.ts'

export default function spin(
  state: StateView,
  { input }: EngineTransaction<{ key: string; spins: number }>,
): number {
  const { key, spins } = input!
  const count = (state.read(key)?.[0] ?? 0) + 1
  let mixed = count
  for (let i = 0; i < spins; i++) mixed = (Math.imul(mixed, 31) + i) | 0
  state.write(key, Uint8Array.of(count, mixed & 1))
  return mixed
}
