// Why a frame of a known contract failed by itself: what its ABI and its last instructions tell.
// The authority on Hardhat's sentences that need to know the contract.
// Must not look into calls that the frame made.
import { bytesToHex, equalsBytes } from '@ethereumjs/util'
import { keccak_256 } from '@noble/hashes/sha3.js'

import { decodeRevert } from '../revert-reason.ts'
import { canonicalTypes, formatArguments } from './abi-decoder.ts'
import type { AbiItem, KnownContract } from './contract-resolver.ts'
import { NO_REASON, revertMessage, VM_EXCEPTION } from './failure-message.ts'
import { type FailureFrame, type FailureStep, isFrame } from './failure-trace.ts'

/** Undefined where the frame gives no reason of its own: a call of it may. */
export function explainFrame(trace: FailureFrame, known: KnownContract): string | undefined {
  const isCreation = trace.frame.type.startsWith('CREATE')
  const before = isCreation ? refusedCreation(trace, known) : refusedCall(trace, known)
  if (before !== undefined) return before
  if (passesOn(trace)) return undefined
  const { error, output } = trace.end
  if (error === 'revert' && output.length > 0) {
    return decodeRevert(output).kind === 'other'
      ? (customError(known, output) ?? revertMessage(output))
      : revertMessage(output)
  }
  if (error !== 'revert') return undefined
  if (callsNoContract(trace)) return 'Transaction reverted: function call to a non-contract account'
  return trace.steps.some(isFrame) ? undefined : NO_REASON
}

/** What it reverted with came from its last call. */
function passesOn({ steps, end }: FailureFrame): boolean {
  const last = steps.findLast(isFrame)
  if (last?.end.error === undefined) return false
  return end.output.length > 0 && equalsBytes(last.end.output, end.output)
}

function refusedCall({ frame, end }: FailureFrame, known: KnownContract): string | undefined {
  if (known.isLibrary) {
    return frame.depth === 0 ? 'Transaction reverted: library was called directly' : undefined
  }
  if (end.output.length > 0 || end.error !== 'revert') return undefined
  const { input, value = 0n } = frame
  const called = functionOf(known, input)
  const fallback = known.abi.find(({ type }) => type === 'fallback')
  const hasReceive = known.abi.some(({ type }) => type === 'receive')
  if (called !== undefined) {
    if (value > 0n && called.stateMutability !== 'payable') {
      return `Transaction reverted: non-payable function was called with value ${value}`
    }
    if (formatArguments(called.inputs ?? [], input.subarray(4)) === undefined) {
      return 'Transaction reverted: function was called with incorrect parameters'
    }
    return undefined
  }
  if (input.length === 0 && hasReceive) return undefined
  const isPlain = input.length === 0
  if (fallback === undefined) {
    const missing = isPlain ? 'fallback nor receive function' : 'fallback function'
    return `Transaction reverted: function selector was not recognized and there's no ${missing}`
  }
  if (value === 0n || fallback.stateMutability === 'payable') return undefined
  const start = isPlain ? "there's no receive function, " : ''
  return `Transaction reverted: ${start}fallback function is not payable and was called with value ${value}`
}

function refusedCreation(trace: FailureFrame, known: KnownContract): string | undefined {
  const { frame, end, steps } = trace
  if (end.output.length > 0 || end.error !== 'revert') return undefined
  const ofCreation = known.abi.find(({ type }) => type === 'constructor')
  if (ofCreation === undefined) return undefined
  const { value = 0n } = frame
  if (value > 0n && ofCreation.stateMutability !== 'payable') {
    return `Transaction reverted: non-payable function was called with value ${value}`
  }
  // Arguments lie behind the code, so their check is the only early look at the code's size.
  const readsSize = steps.some((step) => !isFrame(step) && step.opcode === 0x38)
  const last = steps.at(-1)
  if (!readsSize || last === undefined || isFrame(last) || known.sourceAt === undefined) {
    return undefined
  }
  if (known.sourceAt(last.pc)?.location !== undefined) return undefined
  return 'Transaction reverted: function was called with incorrect parameters'
}

function functionOf({ abi }: KnownContract, input: Uint8Array): AbiItem | undefined {
  if (input.length < 4) return undefined
  return itemWith(abi, 'function', input.subarray(0, 4))
}

function customError({ abi }: KnownContract, output: Uint8Array): string | undefined {
  const error = itemWith(abi, 'error', output.subarray(0, 4))
  if (error === undefined) return undefined
  const given = formatArguments(error.inputs ?? [], output.subarray(4))
  if (given === undefined) return undefined
  return `${VM_EXCEPTION}reverted with custom error '${error.name}(${given.join(', ')})'`
}

function itemWith(
  abi: readonly AbiItem[],
  type: string,
  selector: Uint8Array,
): AbiItem | undefined {
  const wanted = bytesToHex(selector)
  return abi.find((item) => item.type === type && selectorOf(item) === wanted)
}

const selectors = new WeakMap<AbiItem, string>()

function selectorOf(item: AbiItem): string {
  const known = selectors.get(item)
  if (known !== undefined) return known
  const signature = `${item.name}(${canonicalTypes(item.inputs ?? [])})`
  const selector = bytesToHex(keccak_256(new TextEncoder().encode(signature)).subarray(0, 4))
  selectors.set(item, selector)
  return selector
}

/** How far before the REVERT solc may look at the size of the code that it is about to call. */
const checkSpan = 12

/** EXTCODESIZE and ISZERO shortly before the end, and no call after them. */
function callsNoContract({ steps, isCut }: FailureFrame): boolean {
  if (isCut) return false
  const last = steps.slice(-checkSpan)
  const at = last.findLastIndex((step) => !isFrame(step) && step.opcode === 0x3b)
  if (at === -1) return false
  const after = last.slice(at + 1)
  const [next] = after
  if (next === undefined || isFrame(next) || next.opcode !== 0x15) return false
  return !after.some((step) => isFrame(step) || isCallOpcode(step))
}

function isCallOpcode({ opcode }: FailureStep): boolean {
  return opcode >= 0xf0 && opcode !== 0xf3 && opcode !== 0xfd && opcode !== 0xfe
}

/** All that comes after the call belongs to the statement that made it. */
export function failsRightAfter(
  { steps, isCut }: FailureFrame,
  callAt: number,
  { sourceAt }: KnownContract,
): boolean {
  if (isCut) return false
  const call = steps[callAt - 1]
  const last = steps.at(-1)
  if (call === undefined || last === undefined || isFrame(call) || isFrame(last)) return false
  if (last.opcode !== 0xfd) return false
  const after = steps.slice(callAt + 1)
  if (sourceAt === undefined) return after.length < 64
  const location = sourceAt(call.pc)?.location
  return after.every((step) => {
    if (isFrame(step)) return false
    const here = sourceAt(step.pc)?.location
    return here === undefined || here === location
  })
}
