// Toy transactions: a few reads, and writes that depend on what was read.
// Authority on their meaning: what they observe and do depends on the world they are given and on
// nothing else, so that the oracle and an incarnation that saw the same do the same.

import type { ToyWorld } from './toy-world.ts'

export type ToyOperation =
  | { kind: 'exists' | 'balance' | 'nonce'; account: number; when: Condition }
  | { kind: 'slot'; account: number; key: number; when: Condition }
  /** Stores a value made of all that was read so far. */
  | { kind: 'store'; account: number; key: number; when: Condition }
  | { kind: 'storeZero'; account: number; key: number; when: Condition }
  /** Moves an amount where the balance is high enough. */
  | { kind: 'transfer'; account: number; to: number; amount: number; when: Condition }
  | { kind: 'add'; account: number; amount: number; when: Condition }
  | { kind: 'bump' | 'destroy' | 'clear'; account: number; when: Condition }
  /** The transaction is invalid unless the nonce is this one, which it then moves on. */
  | { kind: 'spend'; account: number; nonce: number; when: Condition }
  /** This and the operations after it are undone in the end. */
  | { kind: 'attempt'; when: Condition }

/** On the parity of what was read so far. */
export type Condition = 'always' | 'even' | 'odd'

export interface ToyTransaction {
  operations: readonly ToyOperation[]
  /** Credited after everything else, as a transaction's fee is. */
  fee: { account: number; amount: number } | undefined
  /** The transaction is deferred until the one before it of the same sender has run. */
  sender: number | undefined
}

/** The transaction is invalid on the state that it saw. */
export class InvalidToyError extends Error {}

/** Runs a transaction; returns what it observed. @throws InvalidToyError and what the world throws */
export async function runToy(transaction: ToyTransaction, world: ToyWorld): Promise<number[]> {
  const observed: number[] = []
  let mixed = 1
  let attempts = 0
  const see = (value: number): number => {
    observed.push(value)
    mixed = (Math.imul(mixed, 31) + value + 1) & 0xffff
    return value
  }
  for (const operation of transaction.operations) {
    if (operation.when !== 'always' && (operation.when === 'odd') !== (mixed % 2 === 1)) continue
    switch (operation.kind) {
      case 'exists':
        see((await world.exists(operation.account)) ? 1 : 0)
        break
      case 'balance':
        see(await world.balance(operation.account))
        break
      case 'nonce':
        see(await world.nonce(operation.account))
        break
      case 'slot':
        see(await world.slot(operation.account, operation.key))
        break
      case 'store':
        await world.setSlot(operation.account, operation.key, mixed & 0xff)
        break
      case 'storeZero':
        await world.setSlot(operation.account, operation.key, 0)
        break
      case 'transfer': {
        const balance = see(await world.balance(operation.account))
        if (balance < operation.amount) break
        await world.setBalance(operation.account, balance - operation.amount)
        await world.add(operation.to, operation.amount)
        break
      }
      case 'add':
        await world.add(operation.account, operation.amount)
        break
      case 'bump':
        await world.setNonce(operation.account, see(await world.nonce(operation.account)) + 1)
        break
      case 'destroy':
        await world.destroy(operation.account)
        break
      case 'clear':
        await world.clearStorage(operation.account)
        break
      case 'spend':
        if (see(await world.nonce(operation.account)) !== operation.nonce)
          throw new InvalidToyError()
        await world.setNonce(operation.account, operation.nonce + 1)
        break
      case 'attempt':
        attempts++
        await world.checkpoint()
        break
    }
  }
  while (attempts-- > 0) await world.revert()
  const { fee } = transaction
  if (fee !== undefined) await world.credit(fee.account, fee.amount)
  return observed
}
