// A setup module: gives the EVMs inside workers the functions that the VM on the main thread has.
// The authority on the precompile of this example, for both sides: functions cannot be sent to a thread.
// Must not do anything on import but define: every worker loads it once.
import type { CustomPrecompile, ExecResult, PrecompileInput } from '@ethereumjs/evm'
import { createAddressFromString } from '@ethereumjs/util'
import type { WorkerSetupResult } from 'parallel-evm'

/** Returns its input backwards, for 100 gas. */
export const reverser = {
  address: createAddressFromString('0x0000000000000000000000000000000000001234'),
  function: (input: PrecompileInput): ExecResult => ({
    executionGasUsed: 100n,
    returnValue: Uint8Array.from(input.data).reverse(),
  }),
} satisfies CustomPrecompile

export default function setup(): WorkerSetupResult {
  return { evmOpts: { customPrecompiles: [reverser] } }
}
