// Options: defaults, and typed errors that name the option and what is allowed.
// Authority on every value that is refused.
import { availableParallelism } from 'node:os'
import { pathToFileURL } from 'node:url'
import { describe, expect, it } from 'vitest'
import {
  createParallelExecutor,
  ParallelError,
  type ParallelOptions,
  resolveOptions,
} from '../../src/index.ts'

const bounds = [
  'maxParallelLevel',
  'maxLevelDepth',
  'maxBatchSize',
  'maxDependencyDepth',
  'executionTimeoutMs',
  'startTimeoutMs',
] as const

describe('the defaults', () => {
  it('are the cores there are, the automatic scheduler, and the fallback on', () => {
    const defaults = {
      workers: Math.min(64, availableParallelism()),
      scheduler: 'auto',
      workerSetup: undefined,
      fallback: true,
      maxParallelLevel: Number.POSITIVE_INFINITY,
      maxLevelDepth: Number.POSITIVE_INFINITY,
      maxBatchSize: Number.POSITIVE_INFINITY,
      maxDependencyDepth: Number.POSITIVE_INFINITY,
      executionTimeoutMs: Number.POSITIVE_INFINITY,
      startTimeoutMs: 60_000,
      templates: undefined,
      maxStateMiB: 512,
      maxBlockMiB: 512,
    }
    expect(resolveOptions()).toEqual(defaults)
    expect(resolveOptions({})).toEqual(defaults)
  })

  it('hold for options that are undefined', () => {
    const none = {
      workers: undefined,
      scheduler: undefined,
      workerSetup: undefined,
      fallback: undefined,
      maxStateMiB: undefined,
      maxBlockMiB: undefined,
    } as unknown as ParallelOptions
    expect(resolveOptions(none)).toEqual(resolveOptions())
  })
})

describe('allowed values', () => {
  it('are taken as they are, up to their limits', () => {
    for (const workers of [1, 2, 64]) expect(resolveOptions({ workers }).workers).toBe(workers)
    for (const scheduler of ['auto', 'graph', 'optimistic', 'sequential'] as const) {
      expect(resolveOptions({ scheduler }).scheduler).toBe(scheduler)
    }
    for (const fallback of [true, false])
      expect(resolveOptions({ fallback }).fallback).toBe(fallback)
    for (const size of [1, 1024]) {
      const resolved = resolveOptions({ maxStateMiB: size, maxBlockMiB: size })
      expect([resolved.maxStateMiB, resolved.maxBlockMiB]).toEqual([size, size])
    }
  })

  it('of bounds are integers from 1', () => {
    for (const name of bounds) {
      for (const value of [1, 2 ** 31 - 1])
        expect(resolveOptions({ [name]: value })[name]).toBe(value)
    }
  })

  it('of threadCount are those of workers, and 0 for the cores there are', () => {
    expect(resolveOptions({ threadCount: 3 }).workers).toBe(3)
    expect(resolveOptions({ threadCount: 0 })).toEqual(resolveOptions())
    const both = (): unknown => resolveOptions({ threadCount: 2, workers: 2 })
    expectRefused(both, 'threadCount', 'absent where workers is given')
  })

  it('of workerSetup become the URL of a file', () => {
    const url = new URL('./setup.ts', import.meta.url)
    expect(resolveOptions({ workerSetup: url }).workerSetup).toBe(url.href)
    expect(resolveOptions({ workerSetup: url.href }).workerSetup).toBe(url.href)
    expect(resolveOptions({ workerSetup: './some setup.ts' }).workerSetup).toBe(
      pathToFileURL('some setup.ts').href,
    )
  })
})

describe('a bad value', () => {
  const workers = 'an integer from 1 to 64'
  const size = 'an integer from 1 to 1024'
  const schedulers = 'one of "auto", "graph", "optimistic", "sequential"'
  const bad: [string, unknown, string][] = [
    ...[-1, 0, 1.5, 65, Number.NaN, Number.POSITIVE_INFINITY, 'two', '2', null, true, 2n, {}].map(
      (value): [string, unknown, string] => ['workers', value, workers],
    ),
    ...['fast', '', 'Auto', null, 1, ['auto'], {}].map((value): [string, unknown, string] => [
      'scheduler',
      value,
      schedulers,
    ]),
    ...['yes', 'true', 0, 1, null, {}].map((value): [string, unknown, string] => [
      'fallback',
      value,
      'true or false',
    ]),
    ...[5, '', null, true, {}, [], Symbol('setup')].map((value): [string, unknown, string] => [
      'workerSetup',
      value,
      'a file path or URL',
    ]),
    ['workerSetup', new URL('https://example.org/setup.ts'), 'a file path or URL'],
    ['workerSetup', new URL('data:text/javascript,1'), 'a file path or URL'],
    ['workerSetup', 'https://example.org/setup.ts', 'a file path or URL'],
    ['workerSetup', new URL('file://elsewhere/setup.ts'), 'a file path or URL'],
    ['workerSetup', 'file://elsewhere/setup.ts', 'a file path or URL'],
    ...[0, -5, 1.5, 1025, Number.NaN, '64', null].flatMap((value): [string, unknown, string][] => [
      ['maxStateMiB', value, size],
      ['maxBlockMiB', value, size],
    ]),
    ...[0, -1, 1.5, 2 ** 31, Number.POSITIVE_INFINITY, '1', null].flatMap((value) =>
      bounds.map((name): [string, unknown, string] => [name, value, 'an integer from 1 to']),
    ),
    ...[-1, 65, '2', null].map((value): [string, unknown, string] => [
      'threadCount',
      value,
      'an integer from 0 to 64',
    ]),
  ]
  for (const [name, value, allowed] of bad) {
    const shown =
      typeof value === 'symbol'
        ? 'a symbol'
        : typeof value === 'bigint'
          ? `${value}n`
          : JSON.stringify(value)
    it(`of ${name} is refused by name, with what is allowed: ${shown} (${typeof value} ${String(value)})`, async () => {
      const options = { [name]: value } as ParallelOptions
      expectRefused(() => resolveOptions(options), name, allowed)
      const error = await createParallelExecutor(options).catch((thrown: unknown) => thrown)
      expect(error).toMatchObject({ name: 'ParallelError', code: 'INVALID_OPTION' })
    })
  }

  it('of an option that does not exist is refused with the names of those that do', () => {
    for (const name of ['worker', 'Workers', 'threads', '__proto_']) {
      expectRefused(
        () => resolveOptions({ [name]: 1 } as unknown as ParallelOptions),
        name,
        'workers, scheduler, workerSetup, fallback, threadCount,',
      )
    }
  })

  it('instead of the options themselves is refused', () => {
    for (const options of [null, 5, 'two workers', true, () => {}, [2]]) {
      expectRefused(
        () => resolveOptions(options as unknown as ParallelOptions),
        'options',
        'an object',
      )
    }
  })
})

function expectRefused(run: () => unknown, name: string, allowed: string): void {
  let thrown: unknown
  try {
    run()
  } catch (error) {
    thrown = error
  }
  expect(thrown).toBeInstanceOf(ParallelError)
  const { code, message } = thrown as ParallelError
  expect(code).toBe('INVALID_OPTION')
  expect(message).toContain(`"${name}"`)
  expect(message).toContain(allowed)
}
