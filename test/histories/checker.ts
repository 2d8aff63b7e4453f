// Says what is wrong with a history, by what its transactions saw. Authority on snapshot isolation and on
// serializability as the engine claims them. Must not look into a store.
//
// Snapshot isolation as in Berenson et al., "A critique of ANSI SQL isolation levels" (1995), and the graph
// of dependencies as in Adya, "Weak consistency" (1999): it has a cycle where no serial order explains all.
import { type History, isWriter, type Transaction, writesOf } from './history.ts'

/** One sentence for each thing that snapshot isolation does not allow. */
export function findSnapshotFaults({ transactions, final }: History): string[] {
  const faults: string[] = []
  const versions = versionsByKey(transactions)
  const seenAt = (key: string, time: number): string | undefined =>
    versions.get(key)?.findLast(({ commitTs }) => commitTs <= time)?.value
  for (const transaction of transactions) {
    const own = new Map<string, string | undefined>()
    for (const { kind, key, value } of transaction.operations) {
      if (kind === 'write') {
        own.set(key, value)
        continue
      }
      const expected = own.has(key) ? own.get(key) : seenAt(key, transaction.startTs)
      if (value !== expected) {
        faults.push(`${transaction.id} read ${value} at ${key} and not ${expected}`)
      }
    }
  }
  for (const [key, written] of versions) {
    for (const [i, { commitTs, startTs, id }] of written.entries()) {
      const before = written[i - 1]
      if (before === undefined) continue
      if (before.commitTs === commitTs) faults.push(`${id} and ${before.id} committed at one time`)
      if (startTs < before.commitTs) faults.push(`${id} overwrote ${key} of ${before.id}, unseen`)
    }
    const last = written.at(-1)?.value
    if (final.get(key) !== last) faults.push(`${key} is ${final.get(key)} in the end, not ${last}`)
  }
  return [...faults, ...sessionFaults(transactions)]
}

/** One sentence that names a cycle, if no order of the transactions explains what they saw. */
export function findSerialFaults(history: History): string[] {
  const committed = history.transactions.filter(({ commitTs }) => commitTs !== undefined)
  const versions = versionsByKey(committed)
  const next = new Map<string, Set<string>>(committed.map(({ id }) => [id, new Set()]))
  const edge = (from: string | undefined, to: string | undefined): void => {
    if (from !== undefined && to !== undefined && from !== to) next.get(from)!.add(to)
  }
  for (const written of versions.values()) {
    for (const [i, { id }] of written.entries()) edge(written[i - 1]?.id, id)
  }
  for (const transaction of committed) {
    const own = new Set<string>()
    for (const { kind, key, value } of transaction.operations) {
      if (kind === 'write') own.add(key)
      if (kind === 'write' || own.has(key)) continue
      const written = versions.get(key) ?? []
      // Deleted keys have no value that would tell who did it: the newest deletion that it may have seen.
      const from = written.findLastIndex((version) =>
        value === undefined
          ? version.value === undefined && version.commitTs <= transaction.startTs
          : version.value === value,
      )
      edge(written[from]?.id, transaction.id)
      edge(transaction.id, written[from + 1]?.id)
    }
  }
  const cycle = findCycle(next)
  return cycle === undefined ? [] : [`no order explains ${cycle.join(' -> ')}`]
}

interface Version {
  readonly id: string
  readonly startTs: number
  readonly commitTs: number
  readonly value: string | undefined
}

/** Of each key, what was committed, in the order of time. */
function versionsByKey(transactions: readonly Transaction[]): Map<string, Version[]> {
  const versions = new Map<string, Version[]>()
  for (const transaction of transactions.filter(isWriter)) {
    const { id, startTs } = transaction
    const commitTs = transaction.commitTs as number
    for (const [key, value] of writesOf(transaction)) {
      const of = versions.get(key) ?? []
      of.push({ id, startTs, commitTs, value })
      versions.set(key, of)
    }
  }
  for (const of of versions.values()) of.sort((a, b) => a.commitTs - b.commitTs)
  return versions
}

/** A thread sees what it has committed itself. */
function sessionFaults(transactions: readonly Transaction[]): string[] {
  const faults: string[] = []
  for (const one of transactions) {
    for (const later of transactions) {
      if (later.worker !== one.worker || later.began <= one.ended) continue
      if (one.commitTs !== undefined && later.startTs < one.commitTs) {
        faults.push(`${later.id} does not see ${one.id}, which its thread committed before`)
      }
    }
  }
  return faults
}

function findCycle(next: ReadonlyMap<string, ReadonlySet<string>>): string[] | undefined {
  const finished = new Set<string>()
  const path: string[] = []
  const visit = (id: string): string[] | undefined => {
    if (finished.has(id)) return undefined
    const at = path.indexOf(id)
    if (at !== -1) return [...path.slice(at), id]
    path.push(id)
    for (const other of next.get(id)!) {
      const cycle = visit(other)
      if (cycle !== undefined) return cycle
    }
    path.pop()
    finished.add(id)
    return undefined
  }
  for (const id of next.keys()) {
    const cycle = visit(id)
    if (cycle !== undefined) return cycle
  }
  return undefined
}
