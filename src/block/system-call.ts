// Calls that the protocol itself makes to its contracts after a block's transactions.
// Authority on what such a call leaves as it was: the calling account, its entry in the block's access
// list (EIP-7928), and the EVM's meter of state gas (EIP-8037).

import type { ExecResult } from '@ethereumjs/evm'
import type { Address, BALAccountAccess } from '@ethereumjs/util'
import type { VM } from '@ethereumjs/vm'
import { listedAddress } from '../access/listed-accesses.ts'

/** EIP-8037: a system call may fill so many storage slots from the state gas that it is given. */
const SLOTS_PER_CALL = 16n

/** The EVM's meter of state gas, a part of which its type hides. */
interface StateGasMeter {
  stateGasReservoir: bigint
  executionStateGasUsed: bigint
  _stateGasSnapshots: unknown[]
}

/** Calls `contract` in the name of the protocol's own account. */
export async function systemCall(vm: VM, caller: Address, contract: Address): Promise<ExecResult> {
  const callerBefore = await vm.stateManager.getAccount(caller)
  const listedBefore = listedOf(vm, caller)
  const { execResult } = await withStateGas(vm, () =>
    vm.evm.runCall({ caller, to: contract, gasLimit: vm.common.param('systemCallGasLimit') }),
  )
  const accesses = vm.evm.blockLevelAccessList?.accesses
  if (accesses !== undefined) {
    if (listedBefore === undefined) delete accesses[listedAddress(caller)]
    else accesses[listedAddress(caller)] = listedBefore
  }
  if (callerBefore === undefined) await vm.stateManager.deleteAccount(caller)
  else await vm.stateManager.putAccount(caller, callerBefore)
  return execResult
}

function listedOf(vm: VM, address: Address): BALAccountAccess | undefined {
  const access = vm.evm.blockLevelAccessList?.accesses[listedAddress(address)]
  return access === undefined ? undefined : structuredClone(access)
}

/** Gives the call a reserve of state gas, apart from that of the transactions. */
async function withStateGas<T>(vm: VM, call: () => Promise<T>): Promise<T> {
  if (!vm.common.isActivatedEIP(8037)) return call()
  const meter = vm.evm as unknown as StateGasMeter
  const { stateGasReservoir, executionStateGasUsed, _stateGasSnapshots } = meter
  const slotGas = vm.common.param('stateBytesPerStorageSet') * vm.common.param('costPerStateByte')
  meter.stateGasReservoir = slotGas * SLOTS_PER_CALL
  meter.executionStateGasUsed = 0n
  meter._stateGasSnapshots = []
  const result = await call()
  Object.assign(meter, { stateGasReservoir, executionStateGasUsed, _stateGasSnapshots })
  return result
}
