// The opcode table of an EVM as flat arrays: what each opcode costs, and who executes it.
// Authority on when a frame may be stepped synchronously at all, and on which opcodes then are; whatever
// is not known to be synchronous goes to stock's `runStep`.

import { type Common, Hardfork } from '@ethereumjs/common'
import { DYNAMIC_GAS, type DynamicGas, memoryGasFor, NEAR } from './dynamic-gas.ts'
import { FASTER_HANDLERS, type Handler } from './faster-handlers.ts'
import type { EvmLike, InterpreterLike, OpcodeEntry } from './stock-interpreter.ts'
import { COMBINING } from './word-arithmetic.ts'

/** Executors that are none of the step loop's own: stock's `runStep`, awaited. */
export const BY_RUN_STEP = 0x100
/** Nobody: it is not an opcode of these rules. */
export const BY_NOBODY = 0x101
/** A handler that is synchronous, after dynamic gas that is. */
export const BY_HANDLER = 0x102
/** Two words become one: see word-arithmetic.ts. */
export const COMBINE = 0x103

/** What holds for all frames of an EVM until its rules change. Amounts are of gas. */
export interface StepRules {
  common: Common
  entries: OpcodeEntry[]
  /** The base fee; -1 where charging it needs more than the fee. */
  staticFees: Float64Array
  fees: Float64Array
  /** An own opcode of the step loop (the first of its kind), or one of {@link BY}. */
  executors: Uint16Array
  /** Beyond the base fee, by opcode. */
  dynamicGas: DynamicGas[]
  /** For those that {@link BY_HANDLER} execute, by opcode. */
  handlers: Handler[]
  memoryGas: number
  memoryDivisor: number
  hashWordGas: number
  copyGas: number
  logTopicGas: number
  logDataGas: number
  exponentByteGas: number
  /** What EIP-2929 charges for a slot, undefined before it. */
  slotAccess: { cold: number; warm: number } | undefined
  /** What EIP-2200 charges and gives back, undefined before it. */
  slotStore: SlotStoreAmounts | undefined
}

export interface SlotStoreAmounts {
  /** Up to this nothing can be stored. */
  sentry: number
  noop: number
  init: number
  clean: number
  dirty: number
  clearRefund: number
  initRefund: number
  cleanRefund: number
  /** The fee before EIP-2200, of which EIP-2929 makes a refund. */
  reset: number
}

const SLOAD = 0x54
const SSTORE = 0x55

/** Opcodes that the step loop executes itself, by the first of their kind. */
const OWN: ReadonlyMap<number, number> = new Map([
  ...COMBINING.map((opcode) => [opcode, COMBINE] as const),
  ...kind(0x00, 0x00), // STOP
  ...kind(0x15, 0x15), // ISZERO
  ...kind(0x19, 0x19), // NOT
  ...kind(0x50, 0x50), // POP
  ...kind(0x51, 0x51), // MLOAD
  ...kind(0x52, 0x52), // MSTORE
  ...kind(0x56, 0x56), // JUMP
  ...kind(0x57, 0x57), // JUMPI
  ...kind(0x5a, 0x5a), // GAS
  ...kind(0x5b, 0x5b), // JUMPDEST
  ...kind(0x5f, 0x5f), // PUSH0
  ...kind(0x60, 0x7f), // PUSH1 to PUSH32
  ...kind(0x80, 0x8f), // DUP1 to DUP16
  ...kind(0x90, 0x9f), // SWAP1 to SWAP16
  ...kind(0xf3, 0xf3), // RETURN
])

/** EIPs under which stock's interpreter does more per step than is done here. */
const OTHER_STEPPING = [6800, 7864, 7928, 8024, 8037, 8038]
/** EIPs whose code starts with 0xEF. */
const CONTAINERS = 3540
const CONTAINER_BYTE = 0xef

/** More gas than this is left to stock. It does not pay for memory up to {@link NEAR}. */
const MOST_GAS = 2 ** 43
/** Amounts from here on are not those of any chain, and sums of them might not be exact. */
const LARGE_AMOUNT = 2 ** 20

interface Known {
  /** Common makes these anew whenever anything about it changes. */
  params: object
  eips: object
  rules: StepRules | undefined
}
const known = new WeakMap<OpcodeEntry[], Known>()

/** The rules for a frame that runs `code`, or undefined where stock must step it. */
export function rulesFor(interpreter: InterpreterLike, code: Uint8Array): StepRules | undefined {
  const { common, _evm: evm, _runState: runState } = interpreter
  if (interpreter.profilerOpts?.enabled === true) return undefined
  if (!isPlain(evm)) return undefined
  if (code[0] === CONTAINER_BYTE && common.isActivatedEIP(CONTAINERS)) return undefined
  const { env } = runState
  if (env.eof !== undefined || env.accessWitness !== undefined) return undefined
  if (runState.gasLeft > MOST_GAS) return undefined
  const { _paramsCache: params, _activatedEIPsCache: eips } = common as unknown as {
    _paramsCache: object
    _activatedEIPsCache: object
  }
  const before = known.get(evm._opcodeMap)
  if (before !== undefined && before.params === params && before.eips === eips) return before.rules
  const rules = makeRules(common, evm)
  known.set(evm._opcodeMap, { params, eips, rules })
  return rules
}

/** Whether nothing that watches or changes single steps is attached. */
export function isPlain(evm: EvmLike): boolean {
  return (
    !evm.DEBUG &&
    (evm._customOpcodes === undefined || evm._customOpcodes.length === 0) &&
    evm.events.listenerCount('step') === 0
  )
}

function makeRules(common: Common, evm: EvmLike): StepRules | undefined {
  if (OTHER_STEPPING.some((eip) => common.isActivatedEIP(eip))) return undefined
  const entries = evm._opcodeMap
  const amounts = {
    memoryGas: amount(common, 'memoryGas'),
    memoryDivisor: amount(common, 'quadCoefficientDivGas'),
    hashWordGas: amount(common, 'keccak256WordGas'),
    copyGas: amount(common, 'copyGas'),
    logTopicGas: amount(common, 'logTopicGas'),
    logDataGas: amount(common, 'logDataGas'),
    exponentByteGas: amount(common, 'expByteGas'),
  }
  const fees = Float64Array.from(entries, ({ opcodeInfo }) => opcodeInfo.fee)
  const slotAccess = common.isActivatedEIP(2929)
    ? { cold: amount(common, 'coldsloadGas'), warm: amount(common, 'warmstoragereadGas') }
    : undefined
  const slotStore = common.gteHardfork(Hardfork.Istanbul) ? slotStoreAmounts(common) : undefined
  const all = [fees, ...[amounts, slotAccess ?? {}, slotStore ?? {}].map(Object.values)].flatMap(
    (some) => [...(some as Iterable<number>)],
  )
  if (!all.every(isUsual)) return undefined
  const rules: StepRules = {
    ...amounts,
    common,
    entries,
    fees,
    staticFees: new Float64Array(256).fill(-1),
    executors: new Uint16Array(256).fill(BY_RUN_STEP),
    dynamicGas: [],
    handlers: [],
    slotAccess,
    slotStore,
  }
  if (!(memoryGasFor(Number(NEAR) / 32, rules) > MOST_GAS)) return undefined
  for (let opcode = 0; opcode < 256; opcode++) decide(rules, opcode)
  return rules
}

function slotStoreAmounts(common: Common): SlotStoreAmounts {
  return {
    sentry: amount(common, 'sstoreSentryEIP2200Gas'),
    noop: amount(common, 'sstoreNoopEIP2200Gas'),
    init: amount(common, 'sstoreInitEIP2200Gas'),
    clean: amount(common, 'sstoreCleanEIP2200Gas'),
    dirty: amount(common, 'sstoreDirtyEIP2200Gas'),
    clearRefund: amount(common, 'sstoreClearRefundEIP2200Gas'),
    initRefund: amount(common, 'sstoreInitRefundEIP2200Gas'),
    cleanRefund: amount(common, 'sstoreCleanRefundEIP2200Gas'),
    reset: amount(common, 'sstoreResetGas'),
  }
}

function decide(rules: StepRules, opcode: number): void {
  const { opcodeInfo, opHandler } = rules.entries[opcode]
  const gas = DYNAMIC_GAS.get(opcode)
  rules.dynamicGas[opcode] = gas ?? noGas
  rules.handlers[opcode] = FASTER_HANDLERS.get(opcode) ?? opHandler
  if (opcodeInfo.isInvalid) {
    rules.executors[opcode] = BY_NOBODY
  } else if (opcode === SLOAD || (opcode === SSTORE && rules.slotStore !== undefined)) {
    // Their dynamic gas and their handlers may have to be awaited; the step loop knows when.
    rules.executors[opcode] = opcode
  } else if (!isAsynchronous(opHandler) && opcodeInfo.dynamicGas === (gas !== undefined)) {
    rules.executors[opcode] = OWN.get(opcode) ?? BY_HANDLER
    if (gas === undefined) rules.staticFees[opcode] = opcodeInfo.fee
  }
}

function amount(common: Common, name: string): number {
  try {
    return Number(common.param(name))
  } catch {
    return Number.NaN
  }
}

function isUsual(amount: number): boolean {
  return Number.isInteger(amount) && amount >= 0 && amount < LARGE_AMOUNT
}

/** `opcodeInfo.isAsync` says it of many handlers that are plain functions. */
function isAsynchronous(handler: (...args: never[]) => unknown): boolean {
  return Object.prototype.toString.call(handler) !== '[object Function]'
}

function noGas(): number {
  return 0
}

function kind(first: number, last: number): (readonly [number, number])[] {
  return Array.from({ length: last - first + 1 }, (_, i) => [first + i, first] as const)
}
