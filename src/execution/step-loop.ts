// The synchronous inner loop of the interpreter: runs opcodes until one has to be awaited.
// Authority on the opcodes it executes itself, whose effects, order of checks and errors are stock's to
// the letter; all others go to stock's handlers. Must not be used for frames without step rules.
//
// Gas is counted in a local number, which no synchronous handler of stock's looks at; whoever else looks
// (GAS, everything that is awaited, the end of the frame) finds it in the run state.

import { EVMError } from '@ethereumjs/evm'
import type { CodeAnalysis } from './code-analysis.ts'
import { NEAR, touch, touchUpTo } from './dynamic-gas.ts'
import { checkSpeculation } from './speculation.ts'
import { BY_HANDLER, BY_NOBODY, COMBINE, type StepRules } from './step-rules.ts'
import type { RunStateLike } from './stock-interpreter.ts'
import { slotAccessGas, slotKey, slotNow, slotStoreGas, storeSlot } from './storage-steps.ts'
import { combine } from './word-arithmetic.ts'
import { bytesToWord, readWord, viewOf, writeWord } from './word-bytes.ts'

const ZERO = 0n
const ONE = 1n
const WORD_BYTES = 32
const NO_BYTES = new Uint8Array(0)
const NO_VIEW = viewOf(NO_BYTES)

/** Gas between two looks at whether the execution is worth going on with: some tenth of a millisecond. */
const LOOK_GAS = 20_000

/** What {@link stepUntilAwait} returns when the frame has come to its end. */
export const ENDED = -1
/** The same when a slot was charged for that has to be waited for; its key is on top of the stack. */
export const LOADS_SLOT = -2

/**
 * Steps from the program counter on. Returns the opcode that is to be awaited next, not yet charged, or
 * {@link ENDED} or {@link LOADS_SLOT}. Throws what stock's handlers throw; the run state is then as after stock's.
 */
export function stepUntilAwait(
  runState: RunStateLike,
  rules: StepRules,
  analysis: CodeAnalysis,
): number {
  const { code, stack, memory, interpreter, env } = runState
  const { executors, staticFees, fees, dynamicGas, handlers } = rules
  const words = stack._store
  const height = stack._maxHeight
  const end = code.length
  let length = stack._len
  let pc = runState.programCounter
  let gas = Number(runState.gasLeft)
  let paidEnd = Number(runState.memoryWordCount) * WORD_BYTES
  let bytes: Uint8Array = NO_BYTES
  let view = NO_VIEW
  let jumps: Uint8Array | undefined
  let lookAt = gas - LOOK_GAS
  let opcode = runState.opCode
  try {
    while (pc < end) {
      opcode = code[pc]
      const fee = staticFees[opcode]
      if (fee >= 0) {
        gas -= fee
        if (gas < 0) throw outOfGas()
        pc++
      }
      switch (executors[opcode]) {
        case 0x00: // STOP
          return ENDED
        case COMBINE:
          if (length < 2) throw underflow()
          length--
          words[length - 1] = combine(opcode, words[length], words[length - 1])
          break
        case 0x15: // ISZERO
          if (length < 1) throw underflow()
          words[length - 1] = words[length - 1] === ZERO ? ONE : ZERO
          break
        case 0x19: // NOT
          if (length < 1) throw underflow()
          words[length - 1] = BigInt.asUintN(256, ~words[length - 1])
          break
        case 0x50: // POP
          if (length < 1) throw underflow()
          length--
          break
        case 0x51: // MLOAD
        case 0x52: {
          // MSTORE
          if (length < 1) throw underflow()
          const offset = words[length - 1]
          const at = offset < NEAR ? Number(offset) : Number.POSITIVE_INFINITY
          gas -= fees[opcode]
          if (at + WORD_BYTES > paidEnd) {
            gas -=
              at < Number.POSITIVE_INFINITY
                ? touchUpTo(runState, rules, at + WORD_BYTES)
                : touch(runState, rules, offset, 32n)
            paidEnd = Number(runState.memoryWordCount) * WORD_BYTES
          }
          if (gas < 0) throw outOfGas()
          pc++
          if (opcode === 0x52 && length < 2) throw underflow()
          if (at + WORD_BYTES > memory._store.length) memory.extend(Number(offset), WORD_BYTES)
          if (memory._store !== bytes) {
            bytes = memory._store
            view = viewOf(bytes)
          }
          if (opcode === 0x51) {
            words[length - 1] = readWord(view, at)
          } else {
            length -= 2
            writeWord(view, at, words[length])
          }
          break
        }
        case 0x54: {
          // SLOAD
          if (length < 1) throw underflow()
          const key = slotKey(words[length - 1])
          gas -= fees[opcode] + slotAccessGas(runState, rules, key)
          if (gas < 0) throw outOfGas()
          pc++
          const value = slotNow(runState, key)
          if (value === undefined) return LOADS_SLOT
          words[length - 1] = bytesToWord(value)
          break
        }
        case 0x55: {
          // SSTORE
          if (env.isStatic) throw new EVMError(EVMError.errorMessages.STATIC_STATE_CHANGE)
          if (length < 2) throw underflow()
          const key = slotKey(words[length - 1])
          const cost = slotStoreGas(runState, rules, key, words[length - 2], gas)
          if (cost === undefined) return opcode
          gas -= fees[opcode] + cost
          if (gas < 0) throw outOfGas()
          pc++
          length -= 2
          storeSlot(runState, key, words[length])
          break
        }
        case 0x56: // JUMP
        case 0x57: {
          // JUMPI
          const count = opcode - 0x55
          if (length < count) throw underflow()
          // Without jumps and dynamic gas nothing runs for long.
          if (gas < lookAt) {
            checkSpeculation(interpreter._evm)
            lookAt = gas - LOOK_GAS
          }
          length -= count
          if (count === 2 && words[length] === ZERO) break
          const destination = words[length + count - 1]
          const to = destination < NEAR ? Number(destination) : code.length
          jumps ??= analysis.jumps
          if (jumps[to] === 1) {
            pc = to
          } else {
            runState.validJumps = jumps
            runState.opCode = opcode
            runState.programCounter = pc
            stack._len = length + count
            // Refuses it, with stock's words.
            handlers[opcode](runState, rules.common)
            pc = runState.programCounter
          }
          break
        }
        case 0x5a: // GAS
          if (length >= height) throw overflow()
          words[length++] = BigInt(gas)
          break
        case 0x5b: // JUMPDEST
          break
        case 0x5f: // PUSH0
          if (length >= height) throw overflow()
          words[length++] = ZERO
          break
        case 0x60: {
          // PUSH1 to PUSH32
          if (length >= height) throw overflow()
          const count = opcode - 0x5f
          words[length++] = analysis.push(pc, count)
          pc += count
          break
        }
        case 0x80: // DUP1 to DUP16
          if (length < opcode - 0x7f) throw underflow()
          if (length >= height) throw overflow()
          words[length] = words[length - (opcode - 0x7f)]
          length++
          break
        case 0x90: {
          // SWAP1 to SWAP16
          const other = length - (opcode - 0x8f) - 1
          if (other < 0) throw underflow()
          const top = words[length - 1]
          words[length - 1] = words[other]
          words[other] = top
          break
        }
        case 0xf3: {
          // RETURN
          runState.opCode = opcode
          stack._len = length
          gas -= fees[opcode] + dynamicGas[opcode](runState, rules)
          if (gas < 0) throw outOfGas()
          pc++
          length -= 2
          const size = Number(words[length])
          interpreter._result.returnValue =
            size === 0 ? new Uint8Array(0) : memory.read(Number(words[length + 1]), size)
          return ENDED
        }
        case BY_NOBODY:
          throw new EVMError(EVMError.errorMessages.INVALID_OPCODE)
        case BY_HANDLER:
          runState.opCode = opcode
          stack._len = length
          if (fee < 0) {
            gas -= fees[opcode] + dynamicGas[opcode](runState, rules)
            if (gas < 0) throw outOfGas()
            if (gas < lookAt) {
              checkSpeculation(interpreter._evm)
              lookAt = gas - LOOK_GAS
            }
            pc++
            paidEnd = Number(runState.memoryWordCount) * WORD_BYTES
          }
          runState.programCounter = pc
          try {
            handlers[opcode](runState, rules.common)
          } finally {
            length = stack._len
            pc = runState.programCounter
          }
          break
        default:
          return opcode
      }
    }
    return ENDED
  } catch (error) {
    if (gas < 0) gas = 0
    throw error
  } finally {
    runState.opCode = opcode
    runState.programCounter = pc
    runState.gasLeft = BigInt(gas)
    stack._len = length
  }
}

function outOfGas(): EVMError {
  return new EVMError(EVMError.errorMessages.OUT_OF_GAS)
}
function underflow(): EVMError {
  return new EVMError(EVMError.errorMessages.STACK_UNDERFLOW)
}
function overflow(): EVMError {
  return new EVMError(EVMError.errorMessages.STACK_OVERFLOW)
}
