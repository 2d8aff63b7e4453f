// The options of a VM that are functions, by name: they cannot cross to a worker, so workers get theirs
// from the user's setup module. Authority on how the two are compared: by what there is, since nobody can
// see whether two functions do the same.

import type { CustomCrypto } from '@ethereumjs/common'
import type { EVMOpts } from '@ethereumjs/evm'

/** The EVM options among them. */
export type FunctionOptions = Partial<
  Pick<EVMOpts, 'customOpcodes' | 'customPrecompiles' | 'bls' | 'bn254' | 'cliqueSigner'>
>

/** A name for each: `the opcode 0x21`, `the precompile at 0x…`, `custom crypto (kzg)`. */
export function functionParts(options: FunctionOptions, crypto: CustomCrypto = {}): string[] {
  const { customOpcodes = [], customPrecompiles = [], bls, bn254, cliqueSigner } = options
  return [
    ...customOpcodes.map(({ opcode }) => `the custom opcode 0x${opcode.toString(16)}`),
    ...customPrecompiles.map(({ address }) => `the custom precompile at ${address}`),
    ...Object.entries(crypto).flatMap(([name, given]) =>
      given === undefined ? [] : [`custom crypto (${name})`],
    ),
    ...(cliqueSigner === undefined ? [] : ['a clique signer']),
    ...(bls === undefined ? [] : ['a BLS library of its own']),
    ...(bn254 === undefined ? [] : ['a BN254 library of its own']),
  ]
}

/** Whether a part changes what every contract does: then a VM without it must not meet it in a worker. */
export function isForAllContracts(part: string): boolean {
  return part.startsWith('the custom ')
}
