// A worker setup module with a custom opcode that pushes 42. The tests' VMs have the same one.
// Authority on the opcode, for both sides. It must stay free of side effects on import.
import type { EVMOpts } from '@ethereumjs/evm'
import type { WorkerSetupResult } from '../../../src/index.ts'
import { testKzg } from '../kzg.ts'

export const customOpcode: NonNullable<EVMOpts['customOpcodes']>[number] = {
  opcode: 0x21,
  opcodeName: 'FORTYTWO',
  baseFee: 5,
  logicFunction: (runState: { stack: { push(value: bigint): void } }) => runState.stack.push(42n),
}

export default async function setup(): Promise<WorkerSetupResult> {
  return { evmOpts: { customOpcodes: [customOpcode] }, customCrypto: { kzg: testKzg() } }
}
