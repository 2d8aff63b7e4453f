// Runs a call that is no signed transaction: any sender, contracts too, as eth_call and its kin allow.
// The authority on what such a call costs and leaves in the state; stock's runTx is for transactions.
// Must not check nonces or funds beyond what its options ask for.
import type { Block } from '@ethereumjs/block'
import type { ExecResult } from '@ethereumjs/evm'
import {
  createTx,
  getCalldataFloorGas,
  type TypedTransaction,
  type TypedTxData,
} from '@ethereumjs/tx'
import { Account, Address, bytesToHex, bytesToUnprefixedHex, hexToBytes } from '@ethereumjs/util'
import type { VM } from '@ethereumjs/vm'

import { applyAuthorizations } from './apply-authorizations.ts'
import type { CallMessage } from './call-request.ts'

export interface MessageOptions {
  /** Takes the fee from the sender and gives the coinbase its part. Default: nobody pays. */
  readonly paysFee?: boolean
  /** Refuses value that the sender does not have. Default: it is given what it lacks. */
  readonly needsFunds?: boolean
}

export interface MessageOutcome {
  readonly execResult: ExecResult
  /** Where a contract was made, or would have been. */
  readonly createdAddress: Address | undefined
  /** After the refund, and no less than the floor of EIP-7623. */
  readonly gasUsed: bigint
  /** The most that was used at once: what a gas limit must be for this not to run out. */
  readonly gasBeforeRefund: bigint
}

/** Intrinsic gas above the call's gas: nothing was run. */
export class IntrinsicGasError extends Error {
  readonly needed: bigint
  readonly given: bigint

  constructor(needed: bigint, given: bigint) {
    super(`Transaction requires at least ${needed} gas but got ${given}`)
    this.needed = needed
    this.given = given
  }
}

/**
 * The state keeps what the call did. The VM is left ready for another call.
 * @throws IntrinsicGasError
 */
export async function applyMessage(
  vm: VM,
  block: Block,
  message: CallMessage,
  options: MessageOptions = {},
): Promise<MessageOutcome> {
  const needs = gasNeeds(vm, message)
  const needed = needs.intrinsic > needs.floor ? needs.intrinsic : needs.floor
  if (message.gas < needed) throw new IntrinsicGasError(needed, message.gas)
  const { journal } = vm.evm
  await journal.cleanup()
  await journal.checkpoint()
  try {
    const outcome = await run(vm, block, message, options, needs)
    await journal.commit()
    await journal.cleanup()
    return outcome
  } catch (error) {
    await journal.revert()
    throw error
  } finally {
    journal.cleanJournal()
    vm.stateManager.originalStorageCache.clear()
  }
}

async function run(
  vm: VM,
  block: Block,
  message: CallMessage,
  { paysFee = false, needsFunds = false }: MessageOptions,
  needs: GasNeeds,
): Promise<MessageOutcome> {
  warm(vm, block, message)
  const { from, gasPrice } = message
  const sender = (await vm.stateManager.getAccount(from)) ?? new Account()
  sender.nonce += 1n
  if (paysFee) sender.balance -= message.gas * gasPrice
  await vm.evm.journal.putAccount(from, sender)
  const authorized = await applyAuthorizations(
    vm,
    message.authorizationList ?? [],
    needs.refundPerAuthority,
  )
  const { execResult, createdAddress } = await vm.evm.runCall({
    block,
    gasPrice,
    caller: from,
    gasLimit: message.gas - needs.intrinsic,
    ...(message.to === undefined ? {} : { to: message.to }),
    value: message.value,
    data: message.data,
    blobVersionedHashes: message.blobVersionedHashes.map((each) => bytesToHex(each)),
    skipBalance: !needsFunds,
    skipNonceIncrement: true,
  })
  const gasBeforeRefund = execResult.executionGasUsed + needs.intrinsic
  const refund = authorized + (execResult.gasRefund ?? 0n)
  const maxRefund = gasBeforeRefund / vm.common.param('maxRefundQuotient')
  const refunded = gasBeforeRefund - (refund < maxRefund ? refund : maxRefund)
  const gasUsed = refunded > needs.floor ? refunded : needs.floor
  if (paysFee) await settleFee(vm, block, message, gasUsed)
  await destroy(vm, execResult)
  return {
    execResult,
    createdAddress,
    gasUsed,
    gasBeforeRefund: gasBeforeRefund > needs.floor ? gasBeforeRefund : needs.floor,
  }
}

function warm(vm: VM, block: Block, { from, to, accessList }: CallMessage): void {
  const { journal } = vm.evm
  if (!vm.common.isActivatedEIP(2929)) return
  for (const precompile of vm.evm.precompiles.keys()) journal.addAlwaysWarmAddress(precompile)
  journal.addAlwaysWarmAddress(from.toString())
  if (to !== undefined) journal.addAlwaysWarmAddress(to.toString())
  if (vm.common.isActivatedEIP(3651)) {
    journal.addAlwaysWarmAddress(block.header.coinbase.toString())
  }
  for (const { address, storageKeys } of accessList ?? []) {
    const text = bytesToUnprefixedHex(address.bytes)
    journal.addAlwaysWarmAddress(text)
    for (const key of storageKeys) journal.addAlwaysWarmSlot(text, bytesToUnprefixedHex(key))
  }
}

async function settleFee(
  vm: VM,
  block: Block,
  { from, gas, gasPrice }: CallMessage,
  gasUsed: bigint,
): Promise<void> {
  await addBalance(vm, from, (gas - gasUsed) * gasPrice)
  const baseFee = block.header.baseFeePerGas ?? 0n
  // A call that pays nothing is let through below the base fee; nobody can be given less than nothing.
  const tip = gasPrice > baseFee ? gasPrice - baseFee : 0n
  await addBalance(vm, block.header.coinbase, tip * gasUsed)
}

async function addBalance(vm: VM, address: Address, wei: bigint): Promise<void> {
  const account = (await vm.stateManager.getAccount(address)) ?? new Account()
  account.balance += wei
  await vm.evm.journal.putAccount(address, account)
}

/** Under EIP-6780 only contracts that this very call made go. */
async function destroy(vm: VM, { selfdestruct, createdAddresses }: ExecResult): Promise<void> {
  for (const text of selfdestruct?.keys() ?? []) {
    if (vm.common.isActivatedEIP(6780) && createdAddresses?.has(text) !== true) continue
    await vm.evm.journal.deleteAccount(new Address(hexToBytes(text)))
  }
}

interface GasNeeds {
  readonly intrinsic: bigint
  readonly floor: bigint
  /** Given back for each authority that exists already. */
  readonly refundPerAuthority: bigint
}

/** Of a transaction with the same content. */
function gasNeeds(vm: VM, message: CallMessage): GasNeeds {
  const tx = asTransaction(vm, message)
  const floor = vm.common.isActivatedEIP(7623) ? getCalldataFloorGas(tx, message.from) : 0n
  // Those parameters are of transactions: the VM's own Common need not have them.
  const { common } = tx
  const refundPerAuthority = common.isActivatedEIP(7702)
    ? common.param('perEmptyAccountCost') - common.param('perAuthBaseGas')
    : 0n
  return { intrinsic: tx.getIntrinsicGas(), floor, refundPerAuthority }
}

/** Unsigned, without gas and fees: just what its intrinsic gas follows from. */
function asTransaction(vm: VM, message: CallMessage): TypedTransaction {
  const { to, data, value, accessList, authorizationList } = message
  const chainId = vm.common.chainId()
  const fields: Record<string, unknown> = { type: 0, data, value }
  if (to !== undefined) fields.to = to
  if (accessList !== undefined || authorizationList !== undefined) {
    const list = (accessList ?? []).map(({ address, storageKeys }) => ({
      address: address.toString(),
      storageKeys: storageKeys.map((key) => bytesToHex(key)),
    }))
    Object.assign(fields, { type: 1, chainId, accessList: list })
  }
  if (authorizationList !== undefined && to !== undefined) {
    const list = authorizationList.map(({ chainId, address, nonce, yParity, r, s }) => {
      const hex = (number: bigint) => `0x${number.toString(16)}`
      return {
        chainId: hex(chainId),
        address: address.toString(),
        nonce: hex(nonce),
        yParity: hex(yParity),
        r: hex(r),
        s: hex(s),
      }
    })
    Object.assign(fields, { type: 4, authorizationList: list })
  }
  const options = { common: vm.common, freeze: false, allowUnlimitedInitCodeSize: true }
  return createTx(fields as unknown as TypedTxData, options)
}
