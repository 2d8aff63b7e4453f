// What may be known of a contract beside its code: its name and its ABI, from whoever compiled it.
// The authority on what an explanation may ask for; types only.
// Must not know where artifacts come from.

export interface AbiParameter {
  readonly name?: string | undefined
  /** As in the ABI's JSON: `uint256`, `tuple[]`, ... */
  readonly type: string
  readonly components?: readonly AbiParameter[] | undefined
}

export interface AbiItem {
  readonly type: string
  readonly name?: string | undefined
  readonly inputs?: readonly AbiParameter[] | undefined
  readonly stateMutability?: string | undefined
}

/** Where an instruction comes from, by the compiler's source map. */
export interface InstructionSource {
  /** Place in the source; equal for instructions of one statement. */
  readonly location: string | undefined
  /** `i` into a function, `o` out of one, `-` neither. */
  readonly jump: string
}

export interface KnownContract {
  readonly name: string
  readonly isLibrary: boolean
  readonly abi: readonly AbiItem[]
  /** By the place of the instruction in the code; undefined without a source map. */
  readonly sourceAt?: ((pc: number) => InstructionSource | undefined) | undefined
}

export interface ContractResolver {
  /** @param isCreation the code is that of a creation, followed by the constructor's arguments */
  find(code: Uint8Array, isCreation: boolean): KnownContract | undefined
}
