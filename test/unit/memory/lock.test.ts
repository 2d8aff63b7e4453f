// Holds that a lock excludes threads from each other, and wakes those that wait.
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { describe, expect, it } from 'vitest'

import { nativeAtomics } from '../../../src/memory/atomics.ts'
import { lock, tryLock, unlock } from '../../../src/memory/lock.ts'

const lockModule = new URL('../../../src/memory/lock.ts', import.meta.url).href

describe('a lock', () => {
  it('is held by one at a time', () => {
    const words = new Int32Array(new SharedArrayBuffer(4))
    expect(tryLock(nativeAtomics, words, 0)).toBe(true)
    expect(tryLock(nativeAtomics, words, 0)).toBe(false)
    unlock(nativeAtomics, words, 0)
    lock(nativeAtomics, words, 0)
    expect(tryLock(nativeAtomics, words, 0)).toBe(false)
  })

  it('that nobody will release is an error that says why', () => {
    const words = new Int32Array(new SharedArrayBuffer(4))
    expect(tryLock(nativeAtomics, words, 0)).toBe(true)
    let slept = 0
    const atomics = Object.assign(Object.create(nativeAtomics) as typeof nativeAtomics, {
      wait: (_words: Int32Array, _index: number, _value: number, ms = 0) => {
        slept += ms
        return 'timed-out' as const
      },
    })
    expect(() => lock(atomics, words, 0)).toThrow(
      expect.objectContaining({
        code: 'WORKER_FAILED',
        message: expect.stringContaining('message'),
      }),
    )
    expect(slept).toBe(60_000)
  })

  it('loses no step of threads that count without atomics under it', async () => {
    const shared = new SharedArrayBuffer(8)
    const code = `
      import { parentPort, workerData } from 'node:worker_threads'
      import { lock, unlock } from '${lockModule}'
      const words = new Int32Array(workerData)
      for (let i = 0; i < 20_000; i++) {
        lock(Atomics, words, 0)
        words[1] = words[1] + 1
        unlock(Atomics, words, 0)
      }
      parentPort.postMessage('done')`
    const url = new URL(`data:text/javascript,${encodeURIComponent(code)}`)
    const threads = [0, 1, 2].map(() => new Worker(url, { workerData: shared }))
    await Promise.all(threads.map((thread) => once(thread, 'message')))
    expect([...new Int32Array(shared)]).toEqual([0, 60_000])
  })
})
