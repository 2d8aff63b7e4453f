// The list of values that a toy block brings: what sequential execution comes to, or something else.
// Authority on how often a list is wrong and in what ways; any list must be harmless.

import type { Accesses, BALAccountAccess } from '@ethereumjs/util'
import { bytesToHex } from '@ethereumjs/util'
import type { Random } from './random.ts'
import { slotKey, type ToyAccount } from './toy-world.ts'

/** What a field, or the slot of that number, is said to be after a transaction. */
export interface ToyValue {
  transaction: number
  account: number
  field: 'nonce' | 'balance' | number
  value: number
}

/** `states` are those before the block and after each valid transaction; `count` counts all. */
export function drawList(
  random: Random,
  states: readonly ReadonlyMap<number, ToyAccount>[],
  count: number,
): ToyValue[] {
  const values: ToyValue[] = []
  for (let transaction = 0; transaction + 1 < states.length; transaction++) {
    values.push(...changes(transaction, states[transaction], states[transaction + 1]))
  }
  if (random.oneIn(2)) return values
  return values.flatMap((one) => {
    if (random.oneIn(6)) return []
    if (random.oneIn(6)) return [{ ...one, value: random.below(256) }]
    return random.oneIn(6) ? [{ ...one, transaction: random.below(count) }] : [one]
  })
}

function changes(
  transaction: number,
  before: ReadonlyMap<number, ToyAccount>,
  after: ReadonlyMap<number, ToyAccount>,
): ToyValue[] {
  const values: ToyValue[] = []
  for (const account of new Set([...before.keys(), ...after.keys()])) {
    const note = (field: ToyValue['field'], old = 0, value = 0): void => {
      if (old !== value) values.push({ transaction, account, field, value })
    }
    const [was, is] = [before.get(account), after.get(account)]
    note('nonce', was?.nonce, is?.nonce)
    note('balance', was?.balance, is?.balance)
    for (const key of new Set([...(was?.slots.keys() ?? []), ...(is?.slots.keys() ?? [])])) {
      note(key, was?.slots.get(key), is?.slots.get(key))
    }
  }
  return values
}

/** The values in the form in which blocks bring them. */
export function accessesOf(
  values: readonly ToyValue[],
  addresses: readonly Uint8Array[],
): Accesses {
  const accesses: Record<string, BALAccountAccess> = {}
  for (const { transaction, account, field, value } of values) {
    const name = bytesToHex(addresses[account])
    accesses[name] ??= {
      nonceChanges: new Map(),
      balanceChanges: new Map(),
      codeChanges: [],
      storageChanges: {},
      storageReads: new Set(),
    }
    const { nonceChanges, balanceChanges, storageChanges } = accesses[name]
    const index = transaction + 1
    if (field === 'nonce') nonceChanges.set(index, bytesToHex(Uint8Array.of(value)))
    else if (field === 'balance')
      balanceChanges.set(index, `0x${value.toString(16).padStart(4, '0')}`)
    else {
      const key = bytesToHex(slotKey(field))
      storageChanges[key] ??= []
      storageChanges[key].push([index, value === 0 ? new Uint8Array(0) : Uint8Array.of(value)])
    }
  }
  return accesses
}
