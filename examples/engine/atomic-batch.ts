// Several steps that count together or not at all, on a state with nested snapshots.
// Run it with `node examples/engine/atomic-batch.ts` after `npm run build`.
import { ParallelScheduler, StateManager } from 'parallel-evm/engine'

import { addTo, toBytes, toNumber } from './numbers.ts'

const state = new StateManager()
state.batchWrite([
  ['alice', toBytes(100)],
  ['bob', toBytes(50)],
])
await using scheduler = new ParallelScheduler({ state })

const pay = (amount: number) => [
  () => addTo(state, 'bob', amount),
  () => state.emitEvent({ topic: 'paid', data: amount }),
  () => {
    const had = toNumber(state.read('alice'))
    if (had < amount) throw new Error(`alice has only ${had}`)
    addTo(state, 'alice', -amount)
  },
]
const balances = (): string =>
  `alice ${toNumber(state.read('alice'))}, bob ${toNumber(state.read('bob'))}`

try {
  await scheduler.executeBatch<unknown>(pay(500))
} catch (error) {
  console.log(`refused: ${(error as Error).message}`)
}
console.log(`still ${balances()}, ${state.events.length} events`)

await scheduler.executeBatch<unknown>(pay(30))
console.log(`then ${balances()}, ${state.events.length} event`)

// Snapshots by hand: an inner one goes, the outer one stays.
const outer = state.createSnapshot()
addTo(state, 'alice', 1)
state.createSnapshot()
addTo(state, 'alice', 1000)
state.rollback()
console.log(`one snapshot open: ${state.snapshotDepth === 1}, ${balances()}`)
state.rollbackTo(outer)
console.log(`back to ${balances()}`)
