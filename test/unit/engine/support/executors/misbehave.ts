// An executor module that does what its input says: count, spin for ever, end its thread, throw.
// Must not be imported by a test: threads load it.
import type { EngineTransaction, StateView } from '../../../../../src/engine/index.ts'

export default function misbehave(
  state: StateView,
  { id, input }: EngineTransaction<string>,
): unknown {
  if (input === 'unsendable') {
    state.write(`wrote ${id}`, Uint8Array.of(1))
    return { method: () => 1 }
  }
  if (input === 'spin') for (;;) state.read('nothing')
  if (input === 'exit') process.exit(3)
  if (input === 'throw') throw new RangeError(`${id} is out of range`)
  if (input === 'write') state.write(`wrote ${id}`, Uint8Array.of(1))
  const count = (state.read('count')?.[0] ?? 0) + 1
  state.write('count', Uint8Array.of(count))
  return count
}
