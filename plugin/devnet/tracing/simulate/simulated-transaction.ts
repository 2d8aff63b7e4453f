// The transaction that a simulated call would be: unsigned, and yet with a hash and a sender.
// The authority on its form: type 2, or what its lists ask for, with an empty signature.
// Must not be validated as a real one: its gas may be more than a transaction can have.
import { createTx, type TypedTransaction, type TypedTxData } from '@ethereumjs/tx'
import { bytesToHex } from '@ethereumjs/util'
import type { VM } from '@ethereumjs/vm'

import type { CallMessage } from '../call-request.ts'

export function simulatedTransaction(
  vm: VM,
  message: CallMessage,
  nonce: bigint,
): TypedTransaction {
  const { to, value, data, accessList, maxFeePerGas, maxPriorityFeePerGas, from, gas } = message
  const fields = {
    type: message.authorizationList !== undefined && to !== undefined ? 4 : 2,
    chainId: vm.common.chainId(),
    nonce,
    gasLimit: 0n,
    ...(to === undefined ? {} : { to }),
    value,
    data,
    maxFeePerGas,
    maxPriorityFeePerGas,
    accessList: (accessList ?? []).map(({ address, storageKeys }) => ({
      address: address.toString(),
      storageKeys: storageKeys.map((key) => bytesToHex(key)),
    })),
    ...(message.authorizationList === undefined || to === undefined
      ? {}
      : { authorizationList: message.authorizationList.map(authorizationData) }),
    v: 0n,
    r: 0n,
    s: 0n,
  }
  const options = { common: vm.common, freeze: false, allowUnlimitedInitCodeSize: true }
  const tx = createTx(fields as unknown as TypedTxData, options)
  Object.assign(tx, { gasLimit: gas })
  tx.getSenderAddress = () => from
  return tx
}

function authorizationData(each: NonNullable<CallMessage['authorizationList']>[number]) {
  const hex = (number: bigint) => `0x${number.toString(16)}`
  return {
    chainId: hex(each.chainId),
    address: each.address.toString(),
    nonce: hex(each.nonce),
    yParity: hex(each.yParity),
    r: hex(each.r),
    s: hex(each.s),
  }
}
