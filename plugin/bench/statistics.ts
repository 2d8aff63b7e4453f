// Medians, the only statistic of the benchmark: one slow run on a busy machine must not count.
// The authority on what is reported where the number of runs is even.
// Must not be given empty lists.

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((first, second) => first - second)
  const middle = sorted.length >> 1
  const upper = sorted[middle]!
  return sorted.length % 2 === 1 ? upper : (sorted[middle - 1]! + upper) / 2
}

/**
 * The sample with the median of `key`, or the mean of the two middle ones. Unlike medians taken
 * field by field, its parts still add up to its total.
 */
export function medianSample<Sample extends Readonly<Record<string, number>>>(
  samples: readonly Sample[],
  key: keyof Sample,
): Sample {
  const sorted = [...samples].sort((first, second) => first[key]! - second[key]!)
  const middle = sorted.length >> 1
  const upper = sorted[middle]!
  if (sorted.length % 2 === 1) return upper
  const lower = sorted[middle - 1]!
  const fields = Object.keys(upper).map((field) => [field, (lower[field]! + upper[field]!) / 2])
  return Object.fromEntries(fields) as Sample
}
