// A block with nothing odd in it: payments, and calls of a contract that counts and logs.
// Authority on nothing; suites change one thing about it and see what stock makes of that.
import type { BlockPlan } from '../../../support/hand-made-block.ts'
import { actors, contracts, ether } from '../../../support/random-world.ts'
import { contractOf } from '../../../support/small-contracts.ts'
import type { AccountRecords } from '../../../support/state-template.ts'

const [alice, bob, carol, dave] = actors
const { counter } = contracts

/** Absent before the block. */
export const fresh = actors[9].address

export const plainAccounts: AccountRecords = {
  [counter.toString()]: contractOf([
    [0, 'SLOAD', 1, 'ADD', 'DUP1', 0, 'SSTORE', 0, 'MSTORE', 32, 0, 'LOG0'],
  ]),
}

export const plainBlock: BlockPlan = {
  transactions: [alice, bob, carol, alice, bob].map((from, index) => ({
    from,
    to: index % 2 === 0 ? counter : dave.address,
    value: index % 2 === 0 ? 0n : ether,
  })),
  withdrawals: [{ address: fresh, amount: 7n }],
}
