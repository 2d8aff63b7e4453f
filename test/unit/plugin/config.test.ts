// The config section `parallel`: what it takes, what it resolves to, and its messages.
import { availableParallelism } from 'node:os'
import { pathToFileURL } from 'node:url'
import type { HardhatUserConfig } from 'hardhat/types/config'
import { describe, expect, it } from 'vitest'
import {
  resolveParallelConfig,
  validateParallelConfig,
} from '../../../plugin/hook-handlers/config.ts'
import { SCHEDULERS } from '../../../plugin/scheduler-names.ts'
import { SCHEDULERS as EXECUTOR_SCHEDULERS } from '../../../src/index.ts'

const errorsOf = (parallel: unknown) => validateParallelConfig({ parallel } as HardhatUserConfig)
const messagesOf = (parallel: unknown) => errorsOf(parallel).map(({ message }) => message)

describe('the config section parallel', () => {
  it('may be missing, empty or complete', () => {
    expect(validateParallelConfig({})).toEqual([])
    expect(errorsOf({})).toEqual([])
    const complete = { workers: 64, scheduler: 'optimistic', workerSetup: './setup.ts' }
    expect(errorsOf(complete)).toEqual([])
    expect(errorsOf({ workers: undefined, workerSetup: new URL('file:///setup.ts') })).toEqual([])
  })

  it('is refused with the path to the wrong key', () => {
    expect(errorsOf({ workers: 0 })).toEqual([
      {
        path: ['parallel', 'workers'],
        message: 'parallel.workers must be an integer from 1 to 64, not 0',
      },
    ])
  })

  it('is refused with a message that names the key and what is allowed', () => {
    for (const workers of [-1, 65, 1.5, Number.NaN, '2', null, {}]) {
      expect(messagesOf({ workers })).toEqual([expect.stringContaining('parallel.workers must be')])
    }
    expect(messagesOf({ scheduler: 'fast' })).toEqual([
      'parallel.scheduler must be one of auto, graph, optimistic, sequential, not "fast"',
    ])
    for (const workerSetup of ['', 1, new URL('https://example.org/setup.js')]) {
      expect(messagesOf({ workerSetup })).toEqual([
        expect.stringContaining("parallel.workerSetup must be a module's path or file URL"),
      ])
    }
    expect(messagesOf({ worker: 2 })).toEqual([
      'parallel.worker is not an option; allowed are workers, scheduler, workerSetup',
    ])
    for (const section of [true, null, [], 2]) {
      expect(messagesOf(section)).toEqual(['parallel must be an object'])
    }
  })

  it('takes the schedulers that the executor takes, and no others', () => {
    expect(SCHEDULERS).toEqual(EXECUTOR_SCHEDULERS)
    for (const scheduler of EXECUTOR_SCHEDULERS) expect(errorsOf({ scheduler })).toEqual([])
  })

  it('reports all its errors at once', () => {
    expect(messagesOf({ workers: 0, scheduler: 1 })).toHaveLength(2)
  })

  it('resolves to the cores available and the automatic scheduler', () => {
    expect(resolveParallelConfig({}, '/project')).toEqual({
      workers: Math.min(64, availableParallelism()),
      scheduler: 'auto',
    })
  })

  it("resolves a setup module's path from the project's root", () => {
    const resolved = (workerSetup: string | URL) =>
      resolveParallelConfig({ workerSetup }, '/project').workerSetup
    expect(resolved('./setup.ts')).toBe(pathToFileURL('/project/setup.ts').href)
    expect(resolved('setup.ts')).toBe(pathToFileURL('/project/setup.ts').href)
    expect(resolved('/elsewhere/setup.ts')).toBe(pathToFileURL('/elsewhere/setup.ts').href)
    expect(resolved('file:///setup.ts')).toBe('file:///setup.ts')
    expect(resolved(new URL('file:///setup.ts'))).toBe('file:///setup.ts')
  })
})
