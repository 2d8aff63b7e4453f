// What a contender's runs say about their plans and predictions, as medians over the runs.
// The authority on which run speaks for all where there is no median: the last.
// Must not make figures of runs that predicted nothing.
import type { AccessReport, BlockReport, ConflictCauses, GraphReport } from '../../src/index.ts'
import { type NamedLocation, nameLocation } from './hot-locations.ts'
import { median } from './statistics.ts'

export interface AccessResult extends Readonly<Omit<AccessReport, 'hottest'>> {
  /** Of the last run, at most ten. */
  readonly hottest: readonly NamedLocation[]
}

/** Medians field by field; null without reports. */
export function medianFields<Fields extends Readonly<Record<keyof Fields, number>>>(
  reports: readonly Fields[],
): Fields | null {
  const [first] = reports
  if (first === undefined) return null
  const fields = Object.keys(first) as (keyof Fields)[]
  return Object.fromEntries(
    fields.map((field) => [field, median(reports.map((report) => report[field]))]),
  ) as Fields
}

/** The predicted graphs; null where none was made. */
export function graphOf(reports: readonly BlockReport[]): GraphReport | null {
  return medianFields(reports.flatMap(({ graph }) => graph ?? []))
}

/** Predictions against what happened; null where there were none. */
export function accessOf(
  reports: readonly BlockReport[],
  contractNames: ReadonlyMap<string, string>,
): AccessResult | null {
  const accesses = reports.flatMap(({ access }) => access ?? [])
  const medians = medianFields(accesses.map(({ hottest: _, ...shares }) => shares))
  if (medians === null) return null
  const hottest = accesses.at(-1)?.hottest ?? []
  return { ...medians, hottest: hottest.map((location) => nameLocation(location, contractNames)) }
}

/** Failed validations by what had changed. */
export function causesOf(reports: readonly BlockReport[]): ConflictCauses | null {
  return medianFields(reports.map(({ causes }) => causes))
}
