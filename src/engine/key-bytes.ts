// What a key of the engine may be given as. Authority on its bytes, and on how errors show it.

import { inspect } from 'node:util'
import { ParallelError } from '../errors.ts'

/** Bytes, or text, which stands for its bytes in UTF-8. */
export type ByteKey = Uint8Array | string

/** A key under which values cannot be found any more would be a silent loss, so bytes are checked. */
const MOST_KEY_BYTES = 2 ** 20

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { fatal: true })

/** @throws ParallelError `INVALID_ARGUMENT` for what is neither text nor bytes, or longer than 1 MiB. */
export function keyBytes(key: ByteKey): Uint8Array {
  const bytes = typeof key === 'string' ? encoder.encode(key) : key
  if (!(bytes instanceof Uint8Array)) {
    throw new ParallelError(
      'INVALID_ARGUMENT',
      `A key is text or bytes (Uint8Array), not ${inspect(key, { depth: 0 })}`,
    )
  }
  if (bytes.length > MOST_KEY_BYTES) {
    throw new ParallelError('INVALID_ARGUMENT', `A key has at most ${MOST_KEY_BYTES} bytes`)
  }
  return bytes
}

/**
 * A private copy of a value. Not by `slice`, which on a Buffer is a view of the same bytes.
 * @throws ParallelError `INVALID_ARGUMENT` for what is not bytes.
 */
export function copyOfValue(value: Uint8Array): Uint8Array {
  if (value instanceof Uint8Array) return new Uint8Array(value)
  throw new ParallelError(
    'INVALID_ARGUMENT',
    `A value is bytes (Uint8Array), not ${typeof value}; to remove a key, use delete`,
  )
}

/** The key as text where it is printable, else as hex. */
export function keyText(key: Uint8Array): string {
  try {
    const text = decoder.decode(key)
    if (/^[\x20-\x7e]+$/.test(text)) return `"${text}"`
  } catch {
    // Not UTF-8.
  }
  return `0x${Buffer.from(key).toString('hex')}`
}
