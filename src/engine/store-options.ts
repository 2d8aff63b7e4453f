// What a store can be told. Authority on the defaults and limits. Must not make anything.

import { ParallelError } from '../errors.ts'
import { integerWithin, invalidOption } from '../options.ts'

/** When a store collects by itself. */
export interface AutoGcConfig {
  /** Seconds between two looks, above 0. Default 1. With `enableAdaptive`, where it begins. */
  intervalSecs?: number
  /**
   * Versions above those that the last collection left at which whoever commits collects. 0: only the
   * timer does. Default 10,000.
   */
  versionThreshold?: number
  /** Collect when automatic collection is started. Default `false`. */
  runOnStart?: boolean
  /**
   * Let interval and threshold follow what is written: sooner where versions pile up between two looks,
   * later where a collection finds little. Default `true`.
   */
  enableAdaptive?: boolean
}

export interface MvccStoreOptions {
  /** Most shared memory for keys and versions, in MiB, 1..1024. Default 256; reserved, not committed. */
  maxMiB?: number
  /**
   * Keys that the table is made for, 1..2^24. Default 65,536. More are possible: they share buckets, and
   * get slower to find.
   */
  expectedKeys?: number
  /** Transactions that can be open at once, in all threads, 1..65,536. Default 1,024. */
  maxTransactions?: number
  /** Versions of a key that stay although nobody can read the old ones any more, from 1. Default 1. */
  maxVersionsPerKey?: number
  /** Whether old versions that nobody can read go by age, too. Default `false`. */
  enableTimeBasedGc?: boolean
  /** That age in seconds, from 1. Default 3,600. */
  versionTtlSecs?: number
  /** Collect automatically from the start, with this configuration. Default: not. */
  autoGc?: AutoGcConfig
}

export type ResolvedAutoGc = Required<AutoGcConfig>
export type ResolvedStoreOptions = Required<Omit<MvccStoreOptions, 'autoGc'>> & {
  readonly autoGc: ResolvedAutoGc | undefined
}

const LARGEST = 2 ** 31 - 1
const DEFAULT_AUTO_GC: ResolvedAutoGc = {
  intervalSecs: 1,
  versionThreshold: 10_000,
  runOnStart: false,
  enableAdaptive: true,
}

/** @throws ParallelError `INVALID_OPTION` naming the option and what is allowed. */
export function resolveStoreOptions(options: MvccStoreOptions = {}): ResolvedStoreOptions {
  checkNames(options, [
    'maxMiB',
    'expectedKeys',
    'maxTransactions',
    'maxVersionsPerKey',
    'enableTimeBasedGc',
    'versionTtlSecs',
    'autoGc',
  ])
  return {
    maxMiB: integerWithin('maxMiB', options.maxMiB, 1, 1024, 256),
    expectedKeys: integerWithin('expectedKeys', options.expectedKeys, 1, 2 ** 24, 65_536),
    maxTransactions: integerWithin('maxTransactions', options.maxTransactions, 1, 65_536, 1024),
    maxVersionsPerKey: integerWithin('maxVersionsPerKey', options.maxVersionsPerKey, 1, LARGEST, 1),
    enableTimeBasedGc: flag('enableTimeBasedGc', options.enableTimeBasedGc, false),
    versionTtlSecs: integerWithin('versionTtlSecs', options.versionTtlSecs, 1, LARGEST, 3600),
    autoGc: options.autoGc === undefined ? undefined : resolveAutoGc(options.autoGc),
  }
}

/** `config` over `base`. @throws ParallelError `INVALID_OPTION` */
export function resolveAutoGc(
  config: AutoGcConfig = {},
  base: ResolvedAutoGc = DEFAULT_AUTO_GC,
): ResolvedAutoGc {
  checkNames(config, Object.keys(DEFAULT_AUTO_GC))
  const intervalSecs = config.intervalSecs ?? base.intervalSecs
  if (typeof intervalSecs !== 'number' || !(intervalSecs > 0) || intervalSecs > LARGEST / 1000) {
    throw invalidOption('intervalSecs', intervalSecs, 'a number of seconds above 0')
  }
  return {
    intervalSecs,
    versionThreshold: integerWithin(
      'versionThreshold',
      config.versionThreshold,
      0,
      LARGEST,
      base.versionThreshold,
    ),
    runOnStart: flag('runOnStart', config.runOnStart, base.runOnStart),
    enableAdaptive: flag('enableAdaptive', config.enableAdaptive, base.enableAdaptive),
  }
}

/** @throws ParallelError `INVALID_OPTION` for an option that there is not. */
export function checkNames(options: object, names: readonly string[]): void {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw invalidOption('options', options, 'an object')
  }
  for (const name of Object.keys(options)) {
    if (!names.includes(name)) {
      throw new ParallelError(
        'INVALID_OPTION',
        `Unknown option "${name}"; the options are ${names.join(', ')}`,
      )
    }
  }
}

/** @throws ParallelError `INVALID_OPTION` for what is neither absent nor an isolation. */
export function checkIsolation(isolation: unknown): void {
  if (isolation === undefined || isolation === 'snapshot' || isolation === 'serializable') return
  throw invalidOption('isolation', isolation, '"snapshot" or "serializable"')
}

/** @throws ParallelError `INVALID_OPTION` for what is neither absent nor true or false. */
export function flag(name: string, value: boolean | undefined, byDefault: boolean): boolean {
  if (value === undefined) return byDefault
  if (typeof value !== 'boolean') throw invalidOption(name, value, 'true or false')
  return value
}
