// Prints how well accesses of real mainnet blocks are predicted, and how long predicting takes.
// Usage: node test/bench/access.ts [folder of block files]
// Authority on nothing: figures depend on the machine and on how full the blocks are.
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { hexToBytes, type PrefixedHexString } from '@ethereumjs/util'
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
import { type CodeHashOf, NO_CODE } from '../../src/access/prediction-walk.ts'
import { TemplateLibrary } from '../../src/access/template-library.ts'
import type { TransactionFacts } from '../../src/access/transaction-facts.ts'
import type { Keccak } from '../../src/access/word.ts'
import {
  type RecordedTransaction,
  RecordingKeccak,
  RecordingStateManager,
  recordTransactions,
} from '../support/access-recorder.ts'
import { loadMainnetBlock, type MainnetBlock } from '../support/mainnet.ts'

const folder =
  process.argv.slice(2).find((each) => !each.startsWith('--')) ??
  fileURLToPath(new URL('../fixtures/mainnet', import.meta.url))
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

/** What an executor knows when it predicts: the state before the block. */
interface StateBefore {
  readonly loadSlot: LoadSlot
  readonly codeHashOf: CodeHashOf
}

const ZERO = new Uint8Array(0)

function stateBefore(block: MainnetBlock): StateBefore {
  const locations = new LocationSet()
  const values: Uint8Array[] = []
  for (const [text, { storage, code }] of Object.entries(block.preState)) {
    const address = hexToBytes(text as PrefixedHexString)
    if (code !== undefined && code.length > 2) {
      values[locations.add('code', address, undefined, 'read')] = keccak(hexToBytes(code))
    }
    for (const [key, value] of Object.entries(storage ?? {})) {
      values[locations.add('slot', address, wordOfHex(key), 'read')] = wordOfHex(value)
    }
  }
  return {
    loadSlot: (address, key) => values[locations.find('slot', address, key)] ?? ZERO,
    codeHashOf: (address) => values[locations.find('code', address)] ?? NO_CODE,
  }
}

function wordOfHex(text: string): Uint8Array {
  return hexToBytes(`0x${text.replace(/^0x/, '').padStart(64, '0')}`)
}

const predicted = new LocationSet()
const actual = new LocationSet()

function predict(
  facts: TransactionFacts,
  codeHash: Uint8Array | undefined,
  library: TemplateLibrary | undefined,
  { loadSlot, codeHashOf }: StateBefore,
): void {
  predicted.clear()
  predictEnvelope(facts, keccak, predicted)
  if (codeHash !== undefined) library?.predict(facts, codeHash, predicted, loadSlot, codeHashOf)
}

function score(
  { facts, codeHash, observation }: RecordedTransaction,
  library: TemplateLibrary | undefined,
  state: StateBefore,
): PredictionScore {
  actual.clear()
  predict(facts, codeHash, library, state)
  for (const { field, address, key, kind } of observation.accesses) {
    actual.add(field, address, key, kind)
  }
  return scorePrediction(predicted, actual)
}

/** Scores added up, and how many transactions were predicted to the last location. */
interface Sum {
  scores: PredictionScore
  exact: number
  count: number
}

const NAMES = {
  envelope: 'envelope only',
  online: 'learning on the way, from nothing',
  shared: 'learning on the way, over all blocks',
  spoken: '  of these, where a template spoke',
  again: 'the same block again',
} as const
type Name = keyof typeof NAMES

const newSums = (): Record<Name, Sum> => {
  const sum = (): Sum => ({ scores: NO_SCORE, exact: 0, count: 0 })
  return { envelope: sum(), online: sum(), shared: sum(), spoken: sum(), again: sum() }
}

function add(sum: Sum, scores: PredictionScore): void {
  sum.scores = addScores(sum.scores, scores)
  sum.count++
  if (scores.wrong === 0 && scores.missed === 0) sum.exact++
}

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`.padStart(8)
const summary = ({ scores, exact, count }: Sum): string =>
  `precision ${percent(precisionOf(scores))}  recall ${percent(recallOf(scores))}  exact ${percent(count === 0 ? 1 : exact / count)}`

const shared = new TemplateLibrary(keccak)
const totals = newSums()
let [transactions, predictMs, observeMs, observed] = [0, 0, 0, 0]
const files = readdirSync(folder)
  .filter((name) => name.endsWith('.json.gz'))
  .sort((one, other) => Number.parseInt(one, 10) - Number.parseInt(other, 10))

for (const file of files) {
  const block = await loadMainnetBlock(join(folder, file))
  const state = stateBefore(block)
  const recorded = await record(block)
  const own = new TemplateLibrary(keccak)
  const sums = newSums()
  for (const each of recorded) {
    const { facts, codeHash, observation } = each
    add(sums.envelope, score(each, undefined, state))
    add(sums.online, score(each, own, state))
    const isSpoken = codeHash !== undefined && shared.knows(facts, codeHash)
    const scores = score(each, shared, state)
    add(sums.shared, scores)
    if (isSpoken) add(sums.spoken, scores)
    if (codeHash === undefined) continue
    const before = cpuMs()
    own.observe(facts, codeHash, observation)
    observeMs += cpuMs() - before
    observed++
    shared.observe(facts, codeHash, observation)
  }
  for (const each of recorded) add(sums.again, score(each, own, state))
  predictMs += timePredictions(recorded, own, state)
  transactions += recorded.length
  for (const name of Object.keys(totals) as Name[]) {
    const { scores, exact, count } = sums[name]
    totals[name] = {
      scores: addScores(totals[name].scores, scores),
      exact: totals[name].exact + exact,
      count: totals[name].count + count,
    }
  }
  const size = String(recorded.length).padStart(4)
  console.log(`${file.padEnd(17)} ${size} txs  on the way: ${summary(sums.online)}`)
  console.log(`${' '.repeat(27)}  again: ${summary(sums.again)}`)
}

/** Processor time, which other programs on the machine disturb least. */
function cpuMs(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

/** The least of several runs, so that the machine's other work and compilation stay out. */
function timePredictions(
  recorded: readonly RecordedTransaction[],
  library: TemplateLibrary,
  state: StateBefore,
): number {
  let least = Number.POSITIVE_INFINITY
  for (let run = 0; run < 7; run++) {
    const start = cpuMs()
    for (const { facts, codeHash } of recorded) predict(facts, codeHash, library, state)
    least = Math.min(least, cpuMs() - start)
  }
  return least
}

console.log(`\n${transactions} transactions of ${files.length} blocks`)
for (const name of Object.keys(NAMES) as Name[]) {
  console.log(`${NAMES[name].padEnd(38)} ${summary(totals[name])}`)
}
console.log(`predicting 1,000 transactions: ${((1000 * predictMs) / transactions).toFixed(2)} ms`)
console.log(`observing 1,000 calls: ${((1000 * observeMs) / observed).toFixed(1)} ms`)
console.log(`${shared.size} templates`)
