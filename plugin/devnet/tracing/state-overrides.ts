// State overrides: what eth_call, eth_estimateGas, debug_traceCall and eth_simulateV1 change before they run.
// The authority on the fields of an override and on which of them exclude each other.
// Must only be applied to a VM that nobody else reads: it changes that VM's state and precompiles.
import type { PrecompileFunc } from '@ethereumjs/evm'
import { Account, Address, bytesToHex } from '@ethereumjs/util'
import type { VM } from '@ethereumjs/vm'
import { z } from 'zod'

import { invalidInput, RpcError } from '../rpc-error.ts'
import { address, data, quantity, smallQuantity, word } from './hex-schemas.ts'

const slots = z.record(z.string(), z.unknown()).transform((entries, context) => {
  const parsed: { key: Uint8Array; value: Uint8Array }[] = []
  for (const [slot, given] of Object.entries(entries)) {
    const key = word.safeParse(slot)
    const value = word.safeParse(given)
    for (const part of [key, value]) {
      if (part.success) continue
      for (const { message } of part.error.issues) {
        context.addIssue({ code: 'custom', path: [slot], message })
      }
    }
    if (key.success && value.success) parsed.push({ key: key.data, value: value.data })
  }
  return parsed
})

const accountOverride = z.object({
  balance: quantity.nullish(),
  nonce: smallQuantity.nullish(),
  code: data.nullish(),
  /** All of the account's storage. */
  state: slots.nullish(),
  /** Slots beside those that it has. */
  stateDiff: slots.nullish(),
  /** Where a precompile goes whose address is overridden. */
  movePrecompileToAddress: address.nullish(),
})

type AccountOverride = z.infer<typeof accountOverride>

/** By the text of the address. */
export const stateOverrides = z
  .record(z.string(), accountOverride)
  .transform((entries, context) => {
    const parsed: StateOverrides = new Map()
    for (const [text, override] of Object.entries(entries)) {
      const at = address.safeParse(text)
      if (!at.success) {
        context.addIssue({ code: 'custom', path: [text], message: 'must be an address' })
      } else if (parsed.has(at.data.toString())) {
        context.addIssue({ code: 'custom', path: [text], message: 'is there twice' })
      } else parsed.set(at.data.toString(), override)
    }
    return parsed
  })

/** What is to be changed, by the address in lower case. */
export type StateOverrides = Map<string, AccountOverride>

/** The code of eth_simulateV1's specification. */
const MOVE_TO_ITSELF = -38022

/**
 * Changes the VM's state. What an override does not name stays as it is.
 * @param method named in the error about `state` beside `stateDiff`
 * @throws RpcError if overrides contradict each other
 */
export async function applyStateOverrides(
  vm: VM,
  overrides: StateOverrides | undefined,
  method = 'eth_call',
): Promise<void> {
  if (overrides === undefined) return
  movePrecompiles(vm.evm.precompiles, overrides)
  for (const [text, override] of overrides) {
    const { state, stateDiff } = override
    if (state != null && stateDiff != null) {
      throw invalidInput(
        `The properties 'state' and 'stateDiff' cannot be used simultaneously when configuring the state override set passed to the ${method} method.`,
      )
    }
    await overrideAccount(vm, new Address(Buffer.from(text.slice(2), 'hex')), override)
  }
}

async function overrideAccount(vm: VM, at: Address, override: AccountOverride): Promise<void> {
  const { balance, nonce, code, state, stateDiff } = override
  const { stateManager } = vm
  const account = (await stateManager.getAccount(at)) ?? new Account()
  if (balance != null) account.balance = balance
  if (nonce != null) account.nonce = nonce
  // Put even if unchanged: slots need an account to be in.
  await stateManager.putAccount(at, account)
  if (code != null) await stateManager.putCode(at, code)
  if (state != null) await stateManager.clearStorage(at)
  for (const { key, value } of state ?? stateDiff ?? []) {
    await stateManager.putStorage(at, key, value)
  }
}

/** An overridden precompile is none any more: its address runs the code of the override, or is empty. */
function movePrecompiles(
  precompiles: Map<string, PrecompileFunc>,
  overrides: StateOverrides,
): void {
  const known = new Map(precompiles)
  for (const [text, { movePrecompileToAddress: target }] of overrides) {
    const at = text.slice(2)
    const precompile = known.get(at)
    if (target != null) {
      if (precompile === undefined) throw invalidInput(`account ${text} is not a precompile`)
      const to = bytesToHex(target.bytes)
      if (to === text) throw new RpcError(MOVE_TO_ITSELF, `precompile ${text} is moved to itself`)
      if (overrides.has(to)) throw invalidInput(`account ${to} is already overridden`)
      // Where two are moved to one address, the last stays there, as in geth.
      precompiles.set(to.slice(2), precompile)
    }
    precompiles.delete(at)
  }
}
