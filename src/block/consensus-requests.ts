// The consensus layer's requests after a block (EIP-7685): deposits from logs, withdrawals and
// consolidations from system calls. Authority on them in a parallel block, as stock collects them.

import { Mainnet } from '@ethereumjs/common'
import {
  type Address,
  bigIntToAddressBytes,
  bytesToBigInt,
  bytesToHex,
  CLRequest,
  CLRequestType,
  concatBytes,
  createAddressFromString,
  EthereumJSErrorWithoutCode,
} from '@ethereumjs/util'
import type { RunTxResult, VM } from '@ethereumjs/vm'
import { systemCall } from './system-call.ts'

const DEPOSIT_TOPIC = '0x649bbc62d0e31342afea4e5cd82d4049e7e1ee912fc0889aa790803be39038c5'
/** The deposit event's fields: where its offset word lies, the offset, and the length in bytes. */
const DEPOSIT_FIELDS = [
  { head: 0, offset: 160n, length: 48 },
  { head: 32, offset: 256n, length: 32 },
  { head: 64, offset: 320n, length: 8 },
  { head: 96, offset: 384n, length: 96 },
  { head: 128, offset: 512n, length: 8 },
] as const
const DEPOSIT_LOG_LENGTH = 576
/** EIP-8282's contracts, in the order of their requests. */
const BUILDER_CONTRACTS = [
  [CLRequestType.BuilderDeposit, 'builderDepositContractAddress'],
  [CLRequestType.BuilderExit, 'builderExitContractAddress'],
] as const

/**
 * Collects the requests in the order of their types. `isMade` says that the block is being made: then a
 * builder contract that is missing or fails gives an empty request, else the block is invalid.
 * @throws stock's error for a malformed deposit, and for such a contract
 */
export async function collectRequests(
  vm: VM,
  results: readonly RunTxResult[],
  isMade: boolean,
): Promise<CLRequest<CLRequestType>[]> {
  const requests: CLRequest<CLRequestType>[] = []
  if (vm.common.isActivatedEIP(6110)) requests.push(deposits(vm, results))
  if (vm.common.isActivatedEIP(7002)) {
    requests.push(
      await systemRequest(vm, CLRequestType.Withdrawal, 'withdrawalRequestPredeployAddress'),
    )
  }
  if (vm.common.isActivatedEIP(7251)) {
    requests.push(
      await systemRequest(vm, CLRequestType.Consolidation, 'consolidationRequestPredeployAddress'),
    )
  }
  if (vm.common.isActivatedEIP(8282)) {
    for (const [type, parameter] of BUILDER_CONTRACTS) {
      requests.push(await builderRequest(vm, type, parameter, isMade))
    }
  }
  return requests
}

/** EIP-6110. */
function deposits(vm: VM, results: readonly RunTxResult[]): CLRequest<CLRequestType> {
  const chain = (vm.common as unknown as { _chainParams: { depositContractAddress?: string } })
    ._chainParams
  const contract = (chain.depositContractAddress ?? Mainnet.depositContractAddress)?.toLowerCase()
  if (contract === undefined) {
    throw EthereumJSErrorWithoutCode('deposit contract address required with EIP 6110')
  }
  const parts: Uint8Array[] = []
  for (const { receipt } of results) {
    for (const [address, topics, data] of receipt.logs) {
      if (topics.length === 0 || bytesToHex(topics[0]) !== DEPOSIT_TOPIC) continue
      if (bytesToHex(address).toLowerCase() === contract) parts.push(...depositFields(data))
    }
  }
  return new CLRequest(CLRequestType.Deposit, concatBytes(...parts))
}

function depositFields(data: Uint8Array): Uint8Array[] {
  if (data.length !== DEPOSIT_LOG_LENGTH) throw malformedDeposit()
  return DEPOSIT_FIELDS.map(({ head, offset, length }) => {
    if (bytesToBigInt(data.slice(head, head + 32)) !== offset) throw malformedDeposit()
    const at = Number(offset)
    if (bytesToBigInt(data.slice(at, at + 32)) !== BigInt(length)) throw malformedDeposit()
    return data.slice(at + 32, at + 32 + length)
  })
}

function malformedDeposit(): Error {
  return EthereumJSErrorWithoutCode('invalid deposit log: unsupported data layout')
}

/** EIP-7002 and EIP-7251: what the predeploy returns. */
async function systemRequest(
  vm: VM,
  type: CLRequestType,
  addressParameter: string,
): Promise<CLRequest<CLRequestType>> {
  const contract = addressOf(vm.common.param(addressParameter))
  const caller = addressOf(vm.common.param('systemAddress'))
  if ((await vm.stateManager.getAccount(contract)) === undefined) {
    return new CLRequest(type, new Uint8Array(0))
  }
  const { returnValue } = await systemCall(vm, caller, contract)
  return new CLRequest(type, returnValue)
}

/** EIP-8282: the call is checked, unlike the ones before. */
async function builderRequest(
  vm: VM,
  type: CLRequestType,
  addressParameter: string,
  isMade: boolean,
): Promise<CLRequest<CLRequestType>> {
  const contract = addressOf(vm.common.param(addressParameter))
  const caller = addressOf(vm.common.param('systemAddress'))
  const fail = (message: string): CLRequest<CLRequestType> => {
    if (isMade) return new CLRequest(type, new Uint8Array(0))
    throw EthereumJSErrorWithoutCode(message)
  }
  if ((await vm.stateManager.getCode(contract)).length === 0) {
    return fail(`system contract empty: no code at builder request contract ${contract}`)
  }
  const { exceptionError, returnValue } = await systemCall(vm, caller, contract)
  if (exceptionError !== undefined) {
    const { error } = exceptionError
    return fail(`system contract call failed: builder request contract ${contract} (${error})`)
  }
  return new CLRequest(type, returnValue)
}

function addressOf(parameter: bigint): Address {
  return createAddressFromString(bytesToHex(bigIntToAddressBytes(parameter)))
}
