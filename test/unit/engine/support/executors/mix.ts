// A deterministic transaction over a few keys: reads one, and writes another by what it read.
// The same module is what tests run one after the other, to know the result.
import type { EngineTransaction, StateView } from '../../../../../src/engine/index.ts'

export interface MixInput {
  readonly reads: readonly number[]
  readonly writes: readonly number[]
  readonly spins: number
  readonly failsAbove: number
}

export default function mix(state: StateView, { id, input }: EngineTransaction<MixInput>): number {
  const { reads, writes, spins, failsAbove } = input!
  let sum = Number(id)
  for (const key of reads) sum = (sum * 31 + valueAt(state, key)) % 65_521
  for (let i = 0; i < spins; i++) sum = (sum * 33 + i) % 65_521
  for (const key of writes) {
    if ((sum + key) % 7 === 0) state.delete(`key ${key}`)
    else state.write(`key ${key}`, Uint8Array.of(sum & 255, sum >> 8))
  }
  if (sum > failsAbove) throw new Error(`${sum} is too much`)
  return sum
}

export function valueAt(state: StateView, key: number): number {
  const bytes = state.read(`key ${key}`)
  return bytes === undefined ? -1 : bytes[0]! + 256 * bytes[1]!
}
