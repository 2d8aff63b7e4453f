// The judge of every suite: stock ethereumjs' result is right, and ours must equal it byte for byte.
// Authority on which fields count (all but the live interpreter object `execResult.runState`).
// It must never normalise values before comparing: a missing key differs from an undefined one.
import type { RunBlockResult, VM } from '@ethereumjs/vm'

/** Keys that only one side can have: live interpreter state, our own report, and roots that come later. */
const ignoredKeys = new Set(['runState', 'parallel', 'stateRootReady'])

/** Readable paths of the first differences, empty when equal. */
export function compareResults(stock: RunBlockResult, ours: RunBlockResult, limit = 12): string[] {
  const differences = new DifferenceList(limit)
  compareValues(stock, ours, 'result', differences)
  stock.results.forEach((_, index) => {
    const same = ours.receipts[index] === ours.results[index]?.receipt
    if (!same) differences.add(`result.receipts[${index}]`, 'results[].receipt itself', 'a copy')
  })
  return differences.lines
}

/** Any two values of a result or event, compared the same way. */
export function compareAny(stock: unknown, ours: unknown, path: string, limit = 12): string[] {
  const differences = new DifferenceList(limit)
  compareValues(stock, ours, path, differences)
  return differences.lines
}

/** Stock's refusal and ours: the message is the interface. */
export function sameError(stockError: unknown, ourError: unknown): string[] {
  const stock = describeError(stockError)
  const ours = describeError(ourError)
  return stock === ours ? [] : [`error: stock ${quote(stock)}, ours ${quote(ours)}`]
}

export type Outcome =
  | { readonly kind: 'result'; readonly result: RunBlockResult }
  | { readonly kind: 'error'; readonly error: unknown }

/** Runs something to its outcome, so that refusals compare as well as results do. */
export async function outcomeOf(run: () => Promise<RunBlockResult>): Promise<Outcome> {
  try {
    return { kind: 'result', result: await run() }
  } catch (error) {
    return { kind: 'error', error }
  }
}

export function compareOutcomes(stock: Outcome, ours: Outcome): string[] {
  if (stock.kind === 'result' && ours.kind === 'result') {
    return compareResults(stock.result, ours.result)
  }
  if (stock.kind === 'error' && ours.kind === 'error') return sameError(stock.error, ours.error)
  return [`outcome: stock ${describeOutcome(stock)}, ours ${describeOutcome(ours)}`]
}

/** The proof that two states are equal, whatever the results say. */
export async function compareStateRoots(stock: VM, ours: VM): Promise<string[]> {
  const stockRoot = await stock.stateManager.getStateRoot()
  const ourRoot = await ours.stateManager.getStateRoot()
  return compareAny(stockRoot, ourRoot, 'state root of the VM afterwards')
}

export function describeError(error: unknown): string {
  return error instanceof Error ? error.message : `not an Error: ${String(error)}`
}

function describeOutcome(outcome: Outcome): string {
  return outcome.kind === 'result' ? 'ran' : `threw ${quote(describeError(outcome.error))}`
}

class DifferenceList {
  readonly lines: string[] = []
  readonly #limit: number

  constructor(limit: number) {
    this.#limit = limit
  }

  get full(): boolean {
    return this.lines.length >= this.#limit
  }

  add(path: string, stock: string, ours: string): void {
    if (!this.full) this.lines.push(`${path}: stock ${stock}, ours ${ours}`)
  }
}

function compareValues(
  stock: unknown,
  ours: unknown,
  path: string,
  differences: DifferenceList,
): void {
  if (differences.full || Object.is(stock, ours)) return
  const kind = kindOf(stock)
  if (kind !== kindOf(ours)) {
    differences.add(path, show(stock), show(ours))
    return
  }
  if (stock instanceof Uint8Array && ours instanceof Uint8Array) {
    if (!sameBytes(stock, ours)) differences.add(path, show(stock), show(ours))
  } else if (Array.isArray(stock) && Array.isArray(ours)) {
    compareArrays(stock, ours, path, differences)
  } else if (stock instanceof Map && ours instanceof Map) {
    // Insertion order is visible to whoever iterates, so it is compared as well.
    compareArrays([...stock.entries()], [...ours.entries()], `${path} entries`, differences)
  } else if (stock instanceof Set && ours instanceof Set) {
    compareArrays([...stock], [...ours], `${path} members`, differences)
  } else if (isObject(stock) && isObject(ours)) {
    compareObjects(stock, ours, path, differences)
  } else if (kind !== 'function') {
    differences.add(path, show(stock), show(ours))
  }
}

function compareArrays(
  stock: readonly unknown[],
  ours: readonly unknown[],
  path: string,
  differences: DifferenceList,
): void {
  if (stock.length !== ours.length) {
    differences.add(`${path}.length`, String(stock.length), String(ours.length))
  }
  for (let index = 0; index < Math.min(stock.length, ours.length); index++) {
    compareValues(stock[index], ours[index], `${path}[${index}]`, differences)
  }
}

function compareObjects(
  stock: Record<string, unknown>,
  ours: Record<string, unknown>,
  path: string,
  differences: DifferenceList,
): void {
  for (const key of new Set([...Object.keys(stock), ...Object.keys(ours)])) {
    if (ignoredKeys.has(key)) continue
    if (!(key in stock)) differences.add(`${path}.${key}`, 'has no such key', show(ours[key]))
    else if (!(key in ours)) differences.add(`${path}.${key}`, show(stock[key]), 'have no such key')
    else compareValues(stock[key], ours[key], `${path}.${key}`, differences)
  }
}

function kindOf(value: unknown): string {
  if (value === null) return 'null'
  if (typeof value !== 'object') return typeof value
  if (value instanceof Uint8Array) return 'Uint8Array'
  return value.constructor?.name ?? 'object without prototype'
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

function sameBytes(left: Uint8Array, right: Uint8Array): boolean {
  if (left.length !== right.length) return false
  for (let index = 0; index < left.length; index++) {
    if (left[index] !== right[index]) return false
  }
  return true
}

function show(value: unknown): string {
  if (value instanceof Uint8Array) {
    const hex = Buffer.from(value).toString('hex')
    return hex.length > 80 ? `0x${hex.slice(0, 76)}… (${value.length} bytes)` : `0x${hex}`
  }
  if (typeof value === 'bigint') return `${value}n`
  if (typeof value === 'string') return quote(value)
  if (isObject(value)) return `a ${kindOf(value)} {${Object.keys(value).slice(0, 6).join(', ')}}`
  return String(value)
}

function quote(text: string): string {
  return JSON.stringify(text.length > 400 ? `${text.slice(0, 400)}…` : text)
}
