// How numbers and lists are put into words, the same in the table and in the summary.
// The authority on digits and units. Must not know what the numbers are of.

/** Enough digits to compare, no more: a tenth of a millisecond is noise in a second. */
export function milliseconds(value: number): string {
  return value.toFixed(value < 100 ? 1 : 0)
}

export function ratio(value: number): string {
  return `${value.toFixed(2)}x`
}

export function percent(share: number): string {
  return `${Math.round(share * 100)} %`
}

export function count(value: number, noun: string): string {
  return `${value} ${noun}${value === 1 ? '' : 's'}`
}

/** Medians of counts can lie halfway; a dash where there is none. */
export function countText(value: number | null): string {
  return value === null ? '-' : String(Math.round(value))
}

/** How many elements a list names before it only counts them. */
const LISTED = 6

/** A long list says less than its length; the table has each row. */
export function listOf(texts: readonly string[]): string {
  const shown = texts.slice(0, LISTED)
  const others = texts.length - shown.length
  return shown.join(', ') + (others > 0 ? ` and ${others} more` : '')
}
