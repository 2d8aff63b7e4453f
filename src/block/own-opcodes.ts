// Whether an EVM's table of opcodes is the one that its chain rules give.
// Authority on that alone: stock makes the table when the EVM is made and when the hardfork changes, and not
// when parameters or EIPs do; workers make theirs from the rules in force.

import type { EVM } from '@ethereumjs/evm'
import { getOpcodesForHF } from '@ethereumjs/evm'
import type { OpcodeEntry } from '../execution/stock-interpreter.ts'

interface EvmInternals {
  _opcodeMap: (OpcodeEntry | undefined)[]
  _customOpcodes: Parameters<typeof getOpcodesForHF>[1]
}
interface CommonInternals {
  _paramsCache: object
  _activatedEIPsCache: object
}

interface Expected {
  readonly eips: object
  readonly hardfork: string
  readonly customOpcodes: unknown
  readonly table: readonly (OpcodeEntry | undefined)[]
}

/** Keyed by the parameters in force, which a Common makes anew whenever anything about them changes. */
const expected = new WeakMap<object, Expected>()

/** Whether `evm` executes each opcode as an EVM would that is made now. */
export function hasOwnOpcodes(evm: EVM): boolean {
  const { _opcodeMap: table, _customOpcodes } = evm as unknown as EvmInternals
  const { table: fresh } = tableOf(evm, _customOpcodes)
  return (
    table.length === fresh.length && fresh.every((entry, opcode) => isSame(entry, table[opcode]))
  )
}

function tableOf(evm: EVM, customOpcodes: EvmInternals['_customOpcodes']): Expected {
  const { common } = evm
  const internals = common as unknown as CommonInternals
  const eips = internals._activatedEIPsCache
  const hardfork = common.hardfork()
  const known = expected.get(internals._paramsCache)
  if (
    known?.eips === eips &&
    known.hardfork === hardfork &&
    known.customOpcodes === customOpcodes
  ) {
    return known
  }
  const { opcodeMap } = getOpcodesForHF(common, customOpcodes)
  const table = opcodeMap as unknown as Expected['table']
  const made: Expected = { eips, hardfork, customOpcodes, table }
  expected.set(internals._paramsCache, made)
  return made
}

function isSame(one: OpcodeEntry | undefined, other: OpcodeEntry | undefined): boolean {
  if (one === undefined || other === undefined) return one === other
  const { opcodeInfo: a, opHandler, gasHandler } = one
  const { opcodeInfo: b } = other
  return (
    a.fee === b.fee &&
    a.isInvalid === b.isInvalid &&
    a.dynamicGas === b.dynamicGas &&
    opHandler === other.opHandler &&
    gasHandler === other.gasHandler
  )
}
