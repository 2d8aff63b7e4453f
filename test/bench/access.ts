// Prints how well accesses of real mainnet blocks are predicted, and how long predicting takes.
// Usage: node test/bench/access.ts [folder of block files] [--worst]
// Authority on nothing: figures depend on the machine and on how full the blocks are.
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { runBlock } from '@ethereumjs/vm'
import { createKeccak } from 'hash-wasm'

import { predictEnvelope } from '../../src/access/envelope.ts'
import type { LoadSlot } from '../../src/access/expression-program.ts'
import { LocationSet } from '../../src/access/location-set.ts'
import {
  addScores,
  NO_SCORE,
  type PredictionScore,
  precisionOf,
  recallOf,
  scorePrediction,
} from '../../src/access/prediction-score.ts'
import { TemplateLibrary } from '../../src/access/template-library.ts'
import type { Keccak } from '../../src/access/word.ts'
import {
  type RecordedTransaction,
  RecordingKeccak,
  RecordingStateManager,
  recordTransactions,
} from '../support/access-recorder.ts'
import { loadMainnetBlock, type MainnetBlock } from '../support/mainnet.ts'

const folder =
  process.argv.slice(2).find((each) => !each.startsWith('--')) ?? '/work/shared/mainnet'
if (!existsSync(folder)) throw new Error(`there is no folder ${folder}`)

const hasher = await createKeccak(256)
const keccak: Keccak = (bytes) => hasher.init().update(bytes).digest('binary')

async function record(block: MainnetBlock): Promise<RecordedTransaction[]> {
  const crypto = new RecordingKeccak(keccak)
  const vm = await block.makeVm({
    StateManager: RecordingStateManager,
    keccak256: crypto.keccak256,
  })
  const recorded = recordTransactions(vm, crypto, block.block.header.coinbase.bytes)
  await runBlock(vm, { ...block.runOptions, block: block.block })
  return recorded
}

/** The values of slots before the block: what an executor knows when it predicts. */
function loaderOf(block: MainnetBlock): LoadSlot {
  const slots = new Map<string, Uint8Array>()
  for (const [address, { storage }] of Object.entries(block.preState)) {
    for (const [key, value] of Object.entries(storage ?? {})) {
      const digits = value.replace(/^0x/, '')
      const bytes = Buffer.from(digits.length % 2 === 0 ? digits : `0${digits}`, 'hex')
      slots.set(`${address.toLowerCase()} ${BigInt(key)}`, bytes)
    }
  }
  const hex = (bytes: Uint8Array): string => `0x${Buffer.from(bytes).toString('hex')}`
  return (address, key) => slots.get(`${hex(address)} ${BigInt(hex(key))}`) ?? new Uint8Array(0)
}

const predicted = new LocationSet()
const actual = new LocationSet()

function score(
  { facts, codeHash, observation }: RecordedTransaction,
  library: TemplateLibrary | undefined,
  loadSlot: LoadSlot,
): PredictionScore {
  predicted.clear()
  actual.clear()
  predictEnvelope(facts, keccak, predicted)
  if (codeHash !== undefined) library?.predict(facts, codeHash, predicted, loadSlot)
  for (const { field, address, key, kind } of observation.accesses) {
    actual.add(field, address, key, kind)
  }
  return scorePrediction(predicted, actual)
}

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`.padStart(8)
const summary = (scores: PredictionScore): string =>
  `precision ${percent(precisionOf(scores))}  recall ${percent(recallOf(scores))}  missed writes ${scores.missedWrites}`

const shared = new TemplateLibrary(keccak)
const totals = { envelope: NO_SCORE, online: NO_SCORE, shared: NO_SCORE, again: NO_SCORE }
let [transactions, predictMs, observeMs] = [0, 0, 0]
const files = readdirSync(folder)
  .filter((name) => name.endsWith('.json.gz'))
  .sort((one, other) => Number.parseInt(one) - Number.parseInt(other))

for (const file of files) {
  const block = await loadMainnetBlock(join(folder, file))
  const loadSlot = loaderOf(block)
  const recorded = await record(block)
  const own = new TemplateLibrary(keccak)
  const sums = { envelope: NO_SCORE, online: NO_SCORE, shared: NO_SCORE, again: NO_SCORE }
  for (const each of recorded) {
    sums.envelope = addScores(sums.envelope, score(each, undefined, loadSlot))
    sums.online = addScores(sums.online, score(each, own, loadSlot))
    sums.shared = addScores(sums.shared, score(each, shared, loadSlot))
    if (each.codeHash === undefined) continue
    const before = performance.now()
    own.observe(each.facts, each.codeHash, each.observation)
    observeMs += performance.now() - before
    shared.observe(each.facts, each.codeHash, each.observation)
  }
  for (const each of recorded) sums.again = addScores(sums.again, score(each, own, loadSlot))
  predictMs += timePredictions(recorded, own, loadSlot)
  transactions += recorded.length
  for (const name of Object.keys(totals) as (keyof typeof totals)[]) {
    totals[name] = addScores(totals[name], sums[name])
  }
  console.log(
    `${file.padEnd(18)} ${String(recorded.length).padStart(4)} txs  online ${summary(sums.online)}  again ${summary(sums.again)}`,
  )
}

/** The least of several runs, so that the machine's other work and compilation stay out. */
function timePredictions(
  recorded: readonly RecordedTransaction[],
  library: TemplateLibrary,
  loadSlot: LoadSlot,
): number {
  let least = Number.POSITIVE_INFINITY
  const values = new Map<string, Uint8Array | undefined>()
  void values
  for (let run = 0; run < 5; run++) {
    const start = performance.now()
    for (const { facts, codeHash } of recorded) {
      predicted.clear()
      predictEnvelope(facts, keccak, predicted)
      if (codeHash !== undefined) library.predict(facts, codeHash, predicted, loadSlot)
    }
    least = Math.min(least, performance.now() - start)
  }
  return least
}

console.log(`\n${transactions} transactions of ${files.length} blocks`)
console.log(`envelope only                         ${summary(totals.envelope)}`)
console.log(`learning on the way, per block        ${summary(totals.online)}`)
console.log(`learning on the way, over all blocks  ${summary(totals.shared)}`)
console.log(`the same block again                  ${summary(totals.again)}`)
console.log(`predicting 1,000 transactions: ${((1000 * predictMs) / transactions).toFixed(2)} ms`)
console.log(`observing 1,000 transactions: ${((1000 * observeMs) / transactions).toFixed(2)} ms`)
console.log(`templates: ${shared.size}`)
