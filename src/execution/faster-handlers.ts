// Opcode handlers that convert words and bytes by limbs, in place of stock's that do it by text.
// Authority on nothing: each leaves stack, memory, result and errors exactly as stock's handler for the
// same opcode, which the tests hold them to.

import type { Common } from '@ethereumjs/common'
import { EVMError } from '@ethereumjs/evm'
import { keccak_256 } from '@noble/hashes/sha3.js'
import type { RunStateLike, StackLike } from './stock-interpreter.ts'
import { bytesToWord, smallWord, wordToBytes } from './word-bytes.ts'

const ZERO = 0n
const WORD_BYTES = 32

export type Handler = (runState: RunStateLike, common: Common) => unknown

/** By opcode. None of them is asynchronous, or looks at the gas that is left. */
export const FASTER_HANDLERS: ReadonlyMap<number, Handler> = new Map<number, Handler>([
  [0x20, keccak],
  [0x30, ({ stack, env }) => push(stack, bytesToWord(env.address.bytes))],
  [0x33, ({ stack, env }) => push(stack, bytesToWord(env.caller.bytes))],
  [0x34, ({ stack, env }) => push(stack, env.callValue)],
  [0x35, loadCallData],
  [0x36, ({ stack, env }) => push(stack, smallWord(env.callData.length))],
  [0x38, ({ stack, env }) => push(stack, smallWord(env.code.length))],
  [0x3d, ({ stack, returnBytes }) => push(stack, smallWord(returnBytes.length))],
  [0xa0, log],
  [0xa1, log],
  [0xa2, log],
  [0xa3, log],
  [0xa4, log],
])

function keccak({ stack, memory }: RunStateLike, common: Common): void {
  need(stack, 2)
  const offset = stack._store[--stack._len]
  const length = stack._store[--stack._len]
  const data = length === ZERO ? new Uint8Array(0) : memory.read(Number(offset), Number(length))
  const hash = (common.customCrypto.keccak256 ?? keccak_256)(data)
  stack._store[stack._len++] = bytesToWord(hash)
}

function loadCallData({ stack, env }: RunStateLike): void {
  need(stack, 1)
  const data = env.callData
  const position = stack._store[stack._len - 1]
  let word = ZERO
  if (position < BigInt(data.length)) {
    const at = Number(position)
    const loaded = data.subarray(at, at + WORD_BYTES)
    word = bytesToWord(loaded)
    if (loaded.length < WORD_BYTES) word <<= BigInt(8 * (WORD_BYTES - loaded.length))
  }
  stack._store[stack._len - 1] = word
}

function log({ stack, memory, opCode, interpreter }: RunStateLike): void {
  need(stack, 2)
  const offset = stack._store[--stack._len]
  const length = stack._store[--stack._len]
  const count = opCode - 0xa0
  need(stack, count)
  const topics: Uint8Array[] = []
  for (let i = 0; i < count; i++) topics.push(wordToBytes(stack._store[--stack._len]))
  const data = length === ZERO ? new Uint8Array(0) : memory.read(Number(offset), Number(length))
  interpreter.log(data, count, topics)
}

function need(stack: StackLike, words: number): void {
  if (stack._len < words) throw new EVMError(EVMError.errorMessages.STACK_UNDERFLOW)
}

function push(stack: StackLike, word: bigint): void {
  if (stack._len >= stack._maxHeight) throw new EVMError(EVMError.errorMessages.STACK_OVERFLOW)
  stack._store[stack._len++] = word
}
