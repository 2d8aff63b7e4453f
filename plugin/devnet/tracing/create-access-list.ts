// eth_createAccessList: the addresses and slots that a call touches, and what it costs with them declared.
// The authority on what belongs into the list: nothing that is warm anyway, as geth has it.
// Must not keep what the call did to the state.
import type { Block } from '@ethereumjs/block'
import type { InterpreterStep } from '@ethereumjs/evm'
import { Address, bigIntToHex, bytesToHex } from '@ethereumjs/util'
import type { VM } from '@ethereumjs/vm'

import { applyMessage } from './apply-message.ts'
import { callBlock } from './call-block.ts'
import { toRpcError } from './call-errors.ts'
import {
  type AccessListEntry,
  type CallMessage,
  callRequest,
  toCallMessage,
} from './call-request.ts'
import { gethError } from './geth-errors.ts'
import { parseParam } from './hex-schemas.ts'
import { observeExecution } from './observe-execution.ts'
import { applyStateOverrides, stateOverrides } from './state-overrides.ts'
import { addressFromWord, callArguments, isCall, wordBytes } from './step-operands.ts'

export interface CreateAccessListInput {
  /** With the state that the call sees. Overrides change it. */
  readonly vm: VM
  readonly block: Block
  /** First parameter of the method. */
  readonly call: unknown
  /** Third parameter of the method. */
  readonly overrides?: unknown
  /** Where the call has no gas; and the most that it gets. */
  readonly defaultGas: bigint
}

export interface AccessListResult {
  readonly accessList: readonly { address: string; storageKeys: readonly string[] }[]
  readonly gasUsed: string
  /** Why the call failed; the list is what it touched until then. */
  readonly error?: string
}

/** A declared list changes what code sees of the gas; a list that never settles is answered as it is then. */
const mostRounds = 16

/** @throws RpcError for bad parameters, and for too little gas to begin with */
export async function createAccessList({
  vm,
  block,
  call,
  overrides,
  defaultGas,
}: CreateAccessListInput): Promise<AccessListResult> {
  const request = parseParam(callRequest, 'call', call)
  const changes = parseParam(stateOverrides.nullish(), 'overrides', overrides)
  const around = callBlock(block, vm.common)
  const baseFeePerGas = around.header.baseFeePerGas ?? 0n
  const message = toCallMessage(request, {
    gas: defaultGas,
    gasCap: defaultGas,
    baseFeePerGas,
  })
  await applyStateOverrides(vm, changes ?? undefined, 'eth_createAccessList')
  let list: AccessLists = new Map()
  for (const { address, storageKeys } of message.accessList ?? []) {
    addTo(list, address.toString(), ...storageKeys.map((key) => bytesToHex(key)))
  }
  for (let round = 1; ; round += 1) {
    const run = await runWith(vm, around, message, list)
    if (round === mostRounds || isSame(run.touched, list)) return resultOf(list, run)
    list = run.touched
  }
}

/** Slots by address, in the order in which they were touched. */
type AccessLists = Map<string, Set<string>>

interface Round {
  readonly touched: AccessLists
  readonly gasUsed: bigint
  readonly error: string | undefined
}

async function runWith(
  vm: VM,
  block: Block,
  message: CallMessage,
  list: AccessLists,
): Promise<Round> {
  const touched: AccessLists = new Map([...list].map(([text, slots]) => [text, new Set(slots)]))
  const warm = new Set([message.from.toString(), message.to?.toString()])
  for (const precompile of vm.evm.precompiles.keys()) warm.add(`0x${precompile}`)
  let error: string | undefined
  await vm.stateManager.checkpoint()
  try {
    const declared = { ...message, accessList: entriesOf(list) }
    const { gasUsed } = await observeExecution(
      vm,
      {
        enter: (frame) => {
          if (frame.parent === undefined && frame.to !== undefined) warm.add(frame.to.toString())
        },
        step: (step) => {
          const slot = slotOf(step)
          if (slot !== undefined) addTo(touched, step.address.toString(), bytesToHex(slot))
          const address = accountOf(step)?.toString()
          if (address !== undefined && !warm.has(address)) addTo(touched, address)
        },
        exit: (frame, end) => {
          if (frame.parent === undefined && end.error !== undefined) error = gethError(frame, end)
        },
      },
      () => applyMessage(vm, block, declared),
    )
    return { touched, gasUsed, error }
  } catch (failure) {
    throw toRpcError(failure)
  } finally {
    await vm.stateManager.revert()
  }
}

function slotOf({ opcode, stack }: InterpreterStep): Uint8Array | undefined {
  if (opcode.code !== 0x54 && opcode.code !== 0x55) return undefined
  const slot = stack.at(-1)
  return slot === undefined ? undefined : wordBytes(slot)
}

/** BALANCE, EXTCODESIZE, EXTCODECOPY, EXTCODEHASH, SELFDESTRUCT. */
const looksAtAccount = new Set([0x31, 0x3b, 0x3c, 0x3f, 0xff])

function accountOf(step: InterpreterStep): Address | undefined {
  const { opcode, stack } = step
  if (isCall(opcode.code)) return callArguments(step)?.to
  const top = stack.at(-1)
  if (top === undefined || !looksAtAccount.has(opcode.code)) return undefined
  return addressFromWord(top)
}

function addTo(list: AccessLists, address: string, ...slots: string[]): void {
  const known = list.get(address) ?? new Set()
  for (const slot of slots) known.add(slot)
  list.set(address, known)
}

function isSame(one: AccessLists, other: AccessLists): boolean {
  const countOf = (list: AccessLists) => [...list.values()].reduce((sum, { size }) => sum + size, 0)
  // One only ever grows out of the other.
  return one.size === other.size && countOf(one) === countOf(other)
}

function entriesOf(list: AccessLists): AccessListEntry[] {
  return [...list].map(([text, slots]) => ({
    address: new Address(Buffer.from(text.slice(2), 'hex')),
    storageKeys: [...slots].map((slot) => Buffer.from(slot.slice(2), 'hex')),
  }))
}

function resultOf(list: AccessLists, { gasUsed, error }: Round): AccessListResult {
  return {
    accessList: [...list].map(([address, slots]) => ({ address, storageKeys: [...slots] })),
    gasUsed: bigIntToHex(gasUsed),
    ...(error === undefined ? {} : { error }),
  }
}
