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
import { farAway, holdAccount } from '../support/held-account.ts'
import { actors, addressWord, contracts } from '../support/random-world.ts'
import { addOne, witnessCode } from '../support/small-contracts.ts'
import { kzgSetup, strictExecutor } from '../support/strict-executor.ts'
import { customPrecompiles, precompileAddress } from '../support/worker-setups/answering.ts'
import { channelName, misbehaviour } from '../support/worker-setups/misbehaving.ts'

const { counter, reader } = contracts
const closed = { name: 'ParallelError', code: 'EXECUTOR_CLOSED' }
const length = 30
const plan = planOf()

/** A block of which transaction `held` looks at the account that tests hold; by default, none does. */
function planOf(held = Number.NaN) {
  return {
    transactions: Array.from({ length }, (_, index) => ({
      from: actors[index % 8]!,
      ...(index === held ? { to: reader, data: addressWord(farAway) } : { to: counter }),
    })),
  }
}

const worlds = new Map<EVMOpts, Promise<World>>()
const plain: EVMOpts = {}
const misbehaving: EVMOpts = { customPrecompiles }

function world(evmOpts = plain): Promise<World> {
  const accounts = {
    [counter.toString()]: { code: assembleHex(spin(1_500), addOne) },
    [reader.toString()]: { code: witnessCode, nonce: 1n },
  }
  const made = worlds.get(evmOpts) ?? makeWorld({ accounts, evmOpts })
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
  await expect.poll(messagePorts, { timeout: 5 * 60_000 }).toBe(before)
}
const before = messagePorts()

describe('close()', () => {
  it('during a block rejects it, leaves the state as it was, and no thread', async () => {
    const { vm, common } = await world()
    for (const held of [undefined, 0, 9, length - 1]) {
      const executor = await strictExecutor({ fallback: true })
      const ours = await vm()
      const root = await ours.stateManager.getStateRoot()
      const { asked, answer } = holdAccount(ours)
      const block = makeBlock(common, planOf(held))
      const running = executor.runBlock(ours, { block, ...fillHeader })
      const refused = expect(running).rejects.toMatchObject(closed)
      // At once, or when the block has got so far that it needs the account.
      if (held !== undefined) await Promise.race([asked, running])
      const closing = executor.close()
      answer()
      await closing
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
    const vms = [await vm(), await vm(), await vm()]
    const { asked, answer } = holdAccount(vms[0]!)
    const running = vms.map((ours) =>
      executor.runBlock(ours, { block: makeBlock(common, planOf(9)), ...fillHeader }),
    )
    const refused = running.map((block) => expect(block).rejects.toMatchObject(closed))
    await Promise.race([asked, ...running])
    const closing = executor.close()
    answer()
    await closing
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
    const block = makeBlock(common, lost)
    const channel = new BroadcastChannel(channelName)
    const isLost = new Promise((resolve) => {
      channel.onmessage = resolve
    })
    const running = executor.runBlock(await vm(), { block, ...fillHeader })
    const refused = expect(running).rejects.toMatchObject(closed)
    await Promise.race([isLost, running])
    channel.close()
    await executor.close()
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

  it('because a setup module never ends, says so, and leaves no thread', async () => {
    for (const module of ['waiting-on-import', 'looping-on-import']) {
      const workerSetup = new URL(`../support/worker-setups/${module}.ts`, import.meta.url)
      await expect(
        createParallelExecutor({ workers: 2, workerSetup, startTimeoutMs: 50 }),
      ).rejects.toMatchObject({
        code: 'WORKER_SETUP_FAILED',
        message: expect.stringMatching(/startTimeoutMs, 50 ms/),
      })
      await expectPortsClosed()
    }
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
