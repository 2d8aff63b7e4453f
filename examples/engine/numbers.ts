// Values of the engine are bytes: here are numbers as bytes, and back.
import type { ByteKey, StateView } from 'parallel-evm/engine'

export function toBytes(value: number): Uint8Array {
  const bytes = new Uint8Array(8)
  new DataView(bytes.buffer).setFloat64(0, value)
  return bytes
}

export function toNumber(bytes: Uint8Array | undefined): number {
  return bytes === undefined ? 0 : new DataView(bytes.buffer).getFloat64(0)
}

/** Adds to the number at a key and returns the sum. */
export function addTo(state: StateView, key: ByteKey, amount: number): number {
  const sum = toNumber(state.read(key)) + amount
  state.write(key, toBytes(sum))
  return sum
}
