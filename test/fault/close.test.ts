// The end of an executor: in the middle of a block, with blocks waiting, twice, and too early.
// Authority on what callers get then, and on threads that must not outlive it.
// It must not leave executors open: each test counts threads.

import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { EVMOpts } from '@ethereumjs/evm'
import { describe, expect, it } from 'vitest'
import { createParallelExecutor, type ParallelExecutor } from '../../src/index.ts'
import { assembleHex } from '../support/assembler.ts'
import { threadsOf } from '../support/executor-internals.ts'
import {
  fillHeader,
  makeBlock,
  makeWorld,
  runBoth,
  spin,
  type World,
} from '../support/hand-made-block.ts'
import { actors, contracts } from '../support/random-world.ts'
import { addOne } from '../support/small-contracts.ts'
import { kzgSetup, strictExecutor } from '../support/strict-executor.ts'
import { customPrecompiles, precompileAddress } from '../support/worker-setups/answering.ts'
import { misbehaviour } from '../support/worker-setups/misbehaving.ts'

const { counter } = contracts
const closed = { name: 'ParallelError', code: 'EXECUTOR_CLOSED' }
const plan = {
  transactions: Array.from({ length: 30 }, (_, index) => ({
    from: actors[index % 8]!,
    to: counter,
  })),
}

const worlds = new Map<EVMOpts, Promise<World>>()
const plain: EVMOpts = {}
const misbehaving: EVMOpts = { customPrecompiles }

function world(evmOpts = plain): Promise<World> {
  const code = assembleHex(spin(1_500), addOne)
  const made =
    worlds.get(evmOpts) ?? makeWorld({ accounts: { [counter.toString()]: { code } }, evmOpts })
  worlds.set(evmOpts, made)
  return made
}

const messagePorts = (): number =>
  process.getActiveResourcesInfo().filter((name) => name === 'MessagePort').length

async function expectNoThreads(executor: ParallelExecutor): Promise<void> {
  expect(threadsOf(executor)).toEqual([])
  await expectPortsClosed()
}

/** Ports close a while after their threads have ended. */
async function expectPortsClosed(): Promise<void> {
  await expect.poll(messagePorts, { timeout: 10_000 }).toBe(before)
}
const before = messagePorts()

describe('close()', () => {
  it('during a block rejects it, leaves the state as it was, and no thread', async () => {
    const { vm, common } = await world()
    for (const wait of [0, 5, 40, 120]) {
      const executor = await strictExecutor({ fallback: true })
      const ours = await vm()
      const root = await ours.stateManager.getStateRoot()
      const block = executor.runBlock(ours, { block: makeBlock(common, plan), ...fillHeader })
      const refused = expect(block).rejects.toMatchObject(closed)
      await new Promise((resolve) => setTimeout(resolve, wait))
      await executor.close()
      await refused
      expect(await ours.stateManager.getStateRoot()).toEqual(root)
      await expectNoThreads(executor)
      // The VM is as good as before.
      const other = await strictExecutor()
      const run = await runBoth(other, { stock: await vm(), ours }, makeBlock(common, plan))
      expect(run.differences).toEqual([])
      await other.close()
    }
  })

  it('during a block rejects those that wait, too', async () => {
    const { vm, common } = await world()
    const executor = await strictExecutor()
    const refused = [1, 2, 3].map(async () => {
      const ours = await vm()
      await expect(
        executor.runBlock(ours, { block: makeBlock(common, plan), ...fillHeader }),
      ).rejects.toMatchObject(closed)
    })
    await new Promise((resolve) => setTimeout(resolve, 50))
    await executor.close()
    await Promise.all(refused)
    await expectNoThreads(executor)
  })

  it('waits not even for a worker that never returns', async () => {
    const { vm, common } = await world(misbehaving)
    const executor = await strictExecutor({
      workerSetup: new URL('../support/worker-setups/misbehaving.ts', import.meta.url),
    })
    const data = new Uint8Array(32).fill(misbehaviour.loopsForever)
    const lost = { transactions: [{ from: actors[0]!, to: precompileAddress, data }] }
    const block = executor.runBlock(await vm(), { block: makeBlock(common, lost), ...fillHeader })
    const refused = expect(block).rejects.toMatchObject(closed)
    await new Promise((resolve) => setTimeout(resolve, 100))
    const start = performance.now()
    await executor.close()
    expect(performance.now() - start).toBeLessThan(15_000)
    await refused
    await expectNoThreads(executor)
  })

  it('can be called twice, at once and later', async () => {
    const executor = await strictExecutor()
    await Promise.all([executor.close(), executor.close()])
    await executor.close()
    await expectNoThreads(executor)
  })

  it('is what `await using` calls', async () => {
    let kept: ParallelExecutor
    {
      await using executor = await strictExecutor()
      kept = executor
      expect(threadsOf(kept).length).toBe(2)
    }
    await expectNoThreads(kept)
  })

  it('makes every later block be refused, whatever the scheduler', async () => {
    const { vm, common } = await world()
    for (const scheduler of ['auto', 'optimistic', 'sequential'] as const) {
      const executor = await strictExecutor({ scheduler })
      await executor.close()
      const ours = await vm()
      const root = await ours.stateManager.getStateRoot()
      await expect(
        executor.runBlock(ours, { block: makeBlock(common, plan), ...fillHeader }),
      ).rejects.toMatchObject({ ...closed, message: expect.stringContaining('closed') })
      expect(await ours.stateManager.getStateRoot()).toEqual(root)
      await expectNoThreads(executor)
    }
  })

  it('is not needed for a process to end: idle workers do not keep it', async () => {
    const script = `
      const { createParallelExecutor } = await import('../../src/index.ts')
      const executor = await createParallelExecutor({ workers: 2 })
      console.log('idle', executor.workers)
    `
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      cwd: fileURLToPath(new URL('.', import.meta.url)),
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let output = ''
    child.stdout.on('data', (chunk) => {
      output += chunk
    })
    expect(await exitCodeOf(child)).toBe(0)
    expect(output).toBe('idle 2\n')
  })
})

describe('an executor that cannot start', () => {
  it('leaves no thread', async () => {
    await expect(
      createParallelExecutor({ workers: 2, workerSetup: './there-is-no-such-module.ts' }),
    ).rejects.toMatchObject({ code: 'WORKER_SETUP_FAILED' })
    await expectPortsClosed()
  })

  it('makes no threads for the sequential scheduler', async () => {
    const executor = await createParallelExecutor({
      workers: 2,
      scheduler: 'sequential',
      workerSetup: kzgSetup,
    })
    expect(threadsOf(executor)).toEqual([])
    await executor.close()
  })
})

function exitCodeOf(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve) => child.on('exit', resolve))
}
