// A report over ten accounts while money moves between them: it sees one moment, and waits for nobody.
// Run it with `node examples/engine/read-only-snapshot.ts` after `npm run build`.
import { setImmediate as nextTurn } from 'node:timers/promises'
import { MvccStore, type ParallelError } from 'parallel-evm/engine'

import { addTo, toBytes, toNumber } from './numbers.ts'

using store = new MvccStore()
const accounts = Array.from({ length: 10 }, (_, i) => `account ${i}`)
{
  using filling = store.begin()
  for (const account of accounts) filling.write(account, toBytes(100))
  filling.commit()
}

async function move(): Promise<void> {
  for (let round = 0; round < 50; round++) {
    using transfer = store.begin()
    addTo(transfer, accounts[round % 10]!, -7)
    addTo(transfer, accounts[(round * 3 + 1) % 10]!, 7)
    transfer.commit()
    await nextTurn()
  }
}

async function report(): Promise<number> {
  using reader = store.beginReadOnly()
  let sum = 0
  for (const account of accounts) {
    sum += toNumber(reader.read(account))
    // Money moves between two looks, but not for this reader.
    await nextTurn()
  }
  try {
    reader.write('account 0', toBytes(0))
  } catch (error) {
    console.log(`a write in it: ${(error as ParallelError).code}`)
  }
  return sum
}

const [sum] = await Promise.all([report(), move()])
console.log(`the report: ${sum} of 1000, ${store.totalVersions()} versions`)
