// Writes RLP from its end towards its start, so that lengths are known when headers are written
// (Ethereum Yellow Paper, appendix B). Authority on that encoding; knows nothing of what is encoded.

import { internalError } from '../errors.ts'

const STRING = 0x80
const LIST = 0xc0
/** Above this length a header has a length of its own. */
const SHORT = 55
const FIRST_ROOM = 1024

export class RlpWriter {
  #room = new Uint8Array(FIRST_ROOM)
  #at = FIRST_ROOM

  /** Forgets what was written. */
  begin(): void {
    this.#at = this.#room.length
  }

  /** A mark for {@link list}: what is written from here on, in front of what is there. */
  get mark(): number {
    return this.#room.length - this.#at
  }

  /** All that was written; good until the next change. */
  get written(): Uint8Array {
    return this.#room.subarray(this.#at)
  }

  /** A string of bytes, in front. */
  string(bytes: Uint8Array): void {
    const { length } = bytes
    this.#reserve(length + 9)
    this.#at -= length
    this.#room.set(bytes, this.#at)
    if (length !== 1 || bytes[0] >= STRING) this.#header(STRING, length)
  }

  /** A number from 0 on, in front: big-endian without leading zeros. */
  number(value: bigint): void {
    this.#reserve(48)
    const room = this.#room
    const end = this.#at
    let rest = value
    while (rest > 0xffff_ffffn) {
      let low = Number(rest & 0xffff_ffffn)
      rest >>= 32n
      for (let i = 0; i < 4; i++) {
        room[--this.#at] = low & 0xff
        low >>>= 8
      }
      if (end - this.#at > 32) throw internalError('a number is above 2^256')
    }
    for (let low = Number(rest); low > 0; low >>>= 8) room[--this.#at] = low & 0xff
    const length = end - this.#at
    if (length !== 1 || room[this.#at] >= STRING) this.#header(STRING, length)
  }

  /** Bytes that are RLP already, or stand before it, in front. */
  raw(bytes: Uint8Array): void {
    this.#reserve(bytes.length)
    this.#at -= bytes.length
    this.#room.set(bytes, this.#at)
  }

  /** Makes a list of all that was written since `mark`. */
  list(mark: number): void {
    this.#reserve(9)
    this.#header(LIST, this.mark - mark)
  }

  #header(base: number, length: number): void {
    const room = this.#room
    if (length <= SHORT) {
      room[--this.#at] = base + length
      return
    }
    let lengthBytes = 0
    for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) {
      room[--this.#at] = rest & 0xff
      lengthBytes++
    }
    room[--this.#at] = base + SHORT + lengthBytes
  }

  #reserve(bytes: number): void {
    if (this.#at >= bytes) return
    const written = this.written
    const larger = new Uint8Array(2 * (written.length + bytes))
    larger.set(written, larger.length - written.length)
    this.#room = larger
    this.#at = larger.length - written.length
  }
}
