// A worker setup module with a custom precompile: hashes its input. The tests' VMs have the same one.
// Authority on the precompile's address and answer, for both sides.
// It must stay free of side effects on import: suites import it on the main thread.
import type { CustomPrecompile, PrecompileInput } from '@ethereumjs/evm'
import { Address, hexToBytes } from '@ethereumjs/util'
import { keccak_256 } from '@noble/hashes/sha3.js'
import type { WorkerSetupResult } from '../../../src/index.ts'
import { testKzg } from '../kzg.ts'

export const precompileAddress = new Address(hexToBytes(`0x${'00'.repeat(18)}0999`))

/** What the precompile answers wherever it behaves. */
export function answer(input: PrecompileInput) {
  return { executionGasUsed: 321n, returnValue: keccak_256(input.data) }
}

export const customPrecompiles: CustomPrecompile[] = [
  { address: precompileAddress, function: answer },
]

export default async function setup(): Promise<WorkerSetupResult> {
  return { evmOpts: { customPrecompiles }, customCrypto: { kzg: testKzg() } }
}
