// What stands below a row of the table: how good the predictions were, and where transactions met.
// The authority on which contender of a scheduler speaks for it: the one with the most workers.
// Must not repeat what the table's columns say.
import { contenderText, variantText } from './contender.ts'
import { locationText, touchedText } from './hot-locations.ts'
import type { BenchRow, ParallelResult } from './row.ts'
import { milliseconds, ratio } from './wording.ts'

const INDENT = ' '.repeat(4)
/** The table's. */
const WIDTH = 138

/** A line for each scheduler that has something to tell. */
export function renderDetails(row: BenchRow): string[] {
  const speakers = new Map(row.parallel.map((result) => [variantText(result), result]))
  return [...speakers.values()].flatMap((result) => {
    const parts = [planParts, collectorParts, causeParts, hottestParts].flatMap((of) => of(result))
    return parts.length === 0 ? [] : wrap(`${contenderText(result)}: `, parts)
  })
}

/** As many parts as fit into a line, at least one; further lines stand under the first part. */
function wrap(title: string, parts: readonly string[]): string[] {
  const lines: string[] = []
  let line = ''
  for (const part of parts) {
    const longer = line === '' ? part : `${line}; ${part}`
    if (line !== '' && INDENT.length + title.length + longer.length > WIDTH) {
      lines.push(`${line};`)
      line = part
    } else {
      line = longer
    }
  }
  const indent = INDENT + ' '.repeat(title.length)
  return [...lines, line].map((text, index) => (index === 0 ? INDENT + title : indent) + text)
}

function planParts({ graph, phases }: ParallelResult): string[] {
  if (graph === null || phases === null) return []
  const { plan, learn } = phases
  return [
    `bound ${ratio(graph.bound)}`,
    `planned in ${milliseconds(plan)} ms, learned in ${milliseconds(learn)} ms`,
  ]
}

function collectorParts({ collectorMs }: ParallelResult): string[] {
  if (collectorMs === null) return []
  return [`garbage ${collectorMs.map(milliseconds).join(' + ')} ms`]
}

function causeParts({ causes }: ParallelResult): string[] {
  const counts = Object.entries(causes ?? {})
    .map(([cause, times]) => ({ cause, times: Math.round(times) }))
    .filter(({ times }) => times > 0)
    .sort((first, second) => second.times - first.times)
  if (counts.length === 0) return []
  return [`failed validations: ${counts.map(({ cause, times }) => `${cause} ${times}`).join(', ')}`]
}

function hottestParts({ access }: ParallelResult): string[] {
  const [hottest] = access?.hottest ?? []
  if (hottest === undefined) return []
  return [`hottest: ${locationText(hottest)} (${touchedText(hottest)})`]
}

/** The ten hottest locations of the row, for --hot; nothing where none was found. */
export function renderHottest(row: BenchRow): string[] {
  const result = row.parallel.findLast(({ access }) => (access?.hottest.length ?? 0) > 0)
  if (result?.access == null) return []
  return [
    `${INDENT}hottest locations (${contenderText(result)}):`,
    `${INDENT}${hotLine(['writers', 'readers', 'adders'])}`,
    ...result.access.hottest.map((location) => {
      const { writers, readers, adders } = location
      return `${INDENT}${hotLine([writers, readers, adders])}  ${locationText(location)}`
    }),
  ]
}

function hotLine(cells: readonly (string | number)[]): string {
  return cells.map((cell) => String(cell).padStart(9)).join('')
}
