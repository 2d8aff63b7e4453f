// Holds when a thread may be ended: not while it is at work in the store, and never at work again then.
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { describe, expect, it } from 'vitest'

import {
  type AttachedThread,
  closeCore,
  createHandle,
  forgetThread,
  holdThread,
  openCore,
} from '../../../src/engine/store-core.ts'
import { resolveStoreOptions } from '../../../src/engine/store-options.ts'

const source = new URL('../../../src/engine/store-core.ts', import.meta.url).href

describe('a thread that is to be ended', () => {
  it('is waited for while it is at work, and cannot be at work again', async () => {
    const core = openCore(createHandle(resolveStoreOptions({ maxMiB: 1 })))
    const steps = new Int32Array(new SharedArrayBuffer(8))
    const code = `
      import { parentPort, workerData } from 'node:worker_threads'
      import { atWork, openCore } from '${source}'
      const { handle, steps } = workerData
      const core = openCore(handle)
      core.active.enter()
      parentPort.once('message', () => {
        let code
        try {
          atWork(core, () => {})
        } catch (error) {
          code = error.code
        }
        parentPort.postMessage(code)
      })
      atWork(core, () => {
        parentPort.postMessage(core.thread)
        Atomics.wait(steps, 0, 0, 100)
        steps[1] = 1
      })`
    const url = new URL(`data:text/javascript,${encodeURIComponent(code)}`)
    const thread = new Worker(url, { workerData: { handle: core.handle, steps } })
    const [attached] = (await once(thread, 'message')) as [AttachedThread]
    holdThread(core, attached)
    expect(steps[1]).toBe(1)
    thread.postMessage('again')
    expect((await once(thread, 'message'))[0]).toBe('DISPOSED')
    await thread.terminate()
    expect(core.active.count()).toBe(1)
    forgetThread(core, attached)
    expect(core.active.count()).toBe(0)
    // Its place may be another's by now.
    const other = openCore(core.handle)
    expect(other.thread.owner).toBe(attached.owner)
    other.active.enter()
    forgetThread(core, attached)
    expect(core.active.count()).toBe(1)
    closeCore(other)
    closeCore(core)
  })
})
