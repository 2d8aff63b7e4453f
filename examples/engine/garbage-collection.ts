// Versions pile up while somebody may read them, and go when nobody can.
// Run it with `node examples/engine/garbage-collection.ts` after `npm run build`.
import { MvccStore } from 'parallel-evm/engine'

import { toBytes, toNumber } from './numbers.ts'

using store = new MvccStore()

function write(value: number): void {
  using transaction = store.begin()
  transaction.write('counter', toBytes(value))
  transaction.commit()
}

write(0)
const reader = store.beginReadOnly()
for (let value = 1; value <= 1000; value++) write(value)
store.gc()
console.log(`while the reader is open: ${store.totalVersions()} versions`)
console.log(`the reader still sees ${toNumber(reader.read('counter'))}, of time ${reader.startTs}`)
reader.commit()

const removed = store.gc()
console.log(`after it: ${store.totalVersions()} version, ${removed} removed`)

// By itself: every second, and whenever 100 versions more are there than after the last time.
store.startAutoGc({ intervalSecs: 1, versionThreshold: 100 })
for (let value = 0; value < 10_000; value++) write(value)
const { automatic, versionsRemoved } = store.getGcStats()
console.log(`automatic: ${automatic} collections, ${versionsRemoved} removed in all`)
console.log(`versions now: ${store.totalVersions()}`)
