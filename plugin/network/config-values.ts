// Values that more than one part of the config takes, and how messages show wrong ones.
// The authority on how many workers the plugin's users may ask for.
// Must not depend on anything: every Hardhat command loads it.

/** More than that is likelier a typing error than an intention. */
export const MAXIMUM_WORKERS = 64

export function isWorkerCount(value: unknown): boolean {
  return Number.isInteger(value) && Number(value) >= 1 && Number(value) <= MAXIMUM_WORKERS
}

export function isPlainObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function show(value: unknown): string {
  if (typeof value === 'string') return `"${value}"`
  if (Array.isArray(value)) return 'an array'
  return typeof value === 'object' && value !== null ? 'an object' : String(value)
}
