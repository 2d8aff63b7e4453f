// Finds the contract that code belongs to, among what solc compiled.
// The authority on when code is that of a contract: equal but for what is filled in after compilation.
// Must not keep sources: what a message needs of them is where statements begin and end.
import { hexToBytes } from '@ethereumjs/util'

import type {
  AbiItem,
  ContractResolver,
  InstructionSource,
  KnownContract,
} from './contract-resolver.ts'

interface Range {
  readonly start: number
  readonly length: number
}

interface CompiledCode {
  readonly object: string
  readonly sourceMap?: string
  readonly linkReferences?: Readonly<Record<string, Readonly<Record<string, readonly Range[]>>>>
  readonly immutableReferences?: Readonly<Record<string, readonly Range[]>>
}

/** What is read of solc's standard JSON output, as it is in Hardhat's build infos. */
export interface CompilerOutput {
  readonly contracts?: Readonly<Record<string, Readonly<Record<string, CompiledContract>>>>
  readonly sources?: Readonly<Record<string, { readonly id: number }>>
}

interface CompiledContract {
  readonly abi?: readonly AbiItem[]
  readonly evm?: { readonly bytecode?: CompiledCode; readonly deployedBytecode?: CompiledCode }
}

interface Candidate {
  readonly contract: KnownContract
  readonly code: Uint8Array
  /** Bytes that are not the compiler's. */
  readonly filled: readonly Range[]
}

/** Compilations may be added while it is in use; of equal contracts the one added last is found. */
export interface ContractArtifacts extends ContractResolver {
  add(output: CompilerOutput): void
}

export function createContractArtifacts(): ContractArtifacts {
  /** Deployed code by its length. */
  const deployed = new Map<number, Candidate[]>()
  const creations: Candidate[] = []
  return {
    add({ contracts = {}, sources = {} }) {
      const ids = new Set(Object.values(sources).map(({ id }) => id))
      for (const inFile of Object.values(contracts)) {
        for (const [name, { abi = [], evm = {} }] of Object.entries(inFile)) {
          const runtime = candidateOf(name, abi, evm.deployedBytecode, ids)
          if (runtime === undefined) continue
          const { length } = runtime.code
          deployed.set(length, [runtime, ...(deployed.get(length) ?? [])])
          const creation = candidateOf(name, abi, evm.bytecode, ids, false)
          if (creation !== undefined) creations.unshift(creation)
        }
      }
    },
    find(code, isCreation) {
      const among = isCreation ? creations : (deployed.get(code.length) ?? [])
      return among.find((candidate) => isCodeOf(candidate, code))?.contract
    },
  }
}

function candidateOf(
  name: string,
  abi: readonly AbiItem[],
  compiled: CompiledCode | undefined,
  sources: ReadonlySet<number>,
  isDeployed = true,
): Candidate | undefined {
  if (compiled === undefined || compiled.object.length === 0) return undefined
  const { linkReferences = {}, immutableReferences = {} } = compiled
  const links = Object.values(linkReferences).flatMap((inFile) => Object.values(inFile).flat())
  const filled = [...links, ...Object.values(immutableReferences).flat()]
  // A place to be linked is written as a name between underscores.
  const code = hexToBytes(`0x${compiled.object.replace(/__.{36}__/g, '0'.repeat(40))}`)
  const isLibrary = isDeployed && isLibraryCode(code)
  if (isLibrary) filled.push({ start: 1, length: 20 })
  let places: Map<number, InstructionSource> | undefined
  const sourceAt = (pc: number) => {
    places ??= readSourceMap(compiled.sourceMap ?? '', code, sources)
    return places.get(pc)
  }
  const hasMap = compiled.sourceMap !== undefined && compiled.sourceMap.length > 0
  const contract = { name, isLibrary, abi, sourceAt: hasMap ? sourceAt : undefined }
  return { contract, code, filled }
}

/** A library begins by comparing its own address with the one it was deployed to. */
function isLibraryCode(code: Uint8Array): boolean {
  return code[0] === 0x73 && code[21] === 0x30 && code[22] === 0x14
}

function isCodeOf({ code, filled }: Candidate, given: Uint8Array): boolean {
  if (given.length < code.length) return false
  for (let index = 0; index < code.length; index += 1) {
    if (code[index] === given[index]) continue
    const range = filled.find(({ start, length }) => index >= start && index < start + length)
    if (range === undefined) return false
    index = range.start + range.length - 1
  }
  return true
}

/** One entry for each instruction; a field that is left out is that of the entry before. */
function readSourceMap(
  sourceMap: string,
  code: Uint8Array,
  sources: ReadonlySet<number>,
): Map<number, InstructionSource> {
  const places = new Map<number, InstructionSource>()
  const current = ['', '', '', '-']
  let pc = 0
  for (const entry of sourceMap.split(';')) {
    if (pc >= code.length) break
    for (const [index, field] of entry.split(':').slice(0, 4).entries()) {
      if (field !== '') current[index] = field
    }
    const [start, length, file, jump] = current
    const location = sources.has(Number(file)) ? `${start}:${length}:${file}` : undefined
    places.set(pc, { location, jump: jump! })
    const opcode = code[pc]!
    pc += opcode >= 0x60 && opcode <= 0x7f ? opcode - 0x5e : 1
  }
  return places
}
