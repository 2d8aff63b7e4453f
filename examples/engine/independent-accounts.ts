// Transfers between accounts: those that share none run at once, the others in order.
// Run it with `node examples/engine/independent-accounts.ts` after `npm run build`.
import { ParallelScheduler, ReadWriteSet } from 'parallel-evm/engine'

import { addTo, toBytes, toNumber } from './numbers.ts'

const transfers = [
  { from: 'alice', to: 'bob', amount: 10 },
  { from: 'carol', to: 'dave', amount: 30 },
  { from: 'bob', to: 'carol', amount: 5 },
]
const transactions = transfers.map((input, id) => ({
  id,
  input,
  // What is known before: with it, transfers that conflict run in order.
  accesses: new ReadWriteSet().addWrite(input.from).addWrite(input.to),
}))

await using scheduler = new ParallelScheduler()
scheduler.batchWrite([
  ['alice', toBytes(100)],
  ['bob', toBytes(100)],
  ['carol', toBytes(100)],
  ['dave', toBytes(100)],
])

for (const { id, accesses } of transactions) scheduler.recordRwSet(id, accesses)
const ids = transactions.map(({ id }) => id)
const names = (of: readonly (string | number)[]): string =>
  of.map((id) => `${transfers[Number(id)]!.from} and ${transfers[Number(id)]!.to}`).join(', ')
const first = scheduler.getParallelBatch(ids)
console.log(`at once: ${names(first)}`)
console.log(`then: ${names(scheduler.getParallelBatch(ids, new Set(first)))}`)

const { successful } = await scheduler.executeParallel(transactions, (state, { input }) => {
  const left = addTo(state, input!.from, -input!.amount)
  if (left < 0) throw new Error(`${input!.from} has not got ${input!.amount}`)
  addTo(state, input!.to, input!.amount)
})
const accounts = ['alice', 'bob', 'carol', 'dave']
const balances = scheduler.batchRead(accounts).map(toNumber)
console.log(`${successful} transfers:`, accounts.map((it, i) => `${it} ${balances[i]}`).join(', '))
