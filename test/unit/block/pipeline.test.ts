// Blocks whose state root is taken after them (`pipeline`): what their results say, what those that follow
// get, and what becomes of the state if a root is wrong. Authority on the guarantees in docs/architecture.md.
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { RLP } from '@ethereumjs/rlp'
import { Account, bytesToHex, createAddressFromString, equalsBytes } from '@ethereumjs/util'
import { runBlock, type VM } from '@ethereumjs/vm'
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import type { ParallelExecutor, ParallelRunBlockResult } from '../../../src/index.ts'
import { type FlatState, flatDataOf } from '../../../src/state/flat-state.ts'
import type { WorkerPool } from '../../../src/workers/pool.ts'
import { recordEvents } from '../../support/events.ts'
import { threadsOf } from '../../support/executor-internals.ts'
import { compareAny, compareResults } from '../../support/oracle.ts'
import {
  type Chain,
  errorOf,
  flatVm,
  lateErrorOf,
  unchecked,
  wideChain,
  withHeader,
  withWrongRoot,
} from '../../support/pipelined-chain.ts'
import { contracts } from '../../support/random-world.ts'
import { strictExecutor } from '../../support/strict-executor.ts'

const { counter, hot } = contracts
/** System operations of Prague write before the transactions; London has none. */
const hardforks = ['london', 'prague']
const later = { ...unchecked, pipeline: true }

let executor: ParallelExecutor
beforeAll(async () => {
  executor = await strictExecutor()
})
afterAll(() => executor.close())

/** Keeps workers from hashing roots until `release` is called: then, and not before, they can be known. */
function holdHashing(on = executor): { release: () => void } {
  const { pool } = on as unknown as { pool: WorkerPool }
  const { promise: released, resolve } = Promise.withResolvers<void>()
  const run = pool.run.bind(pool)
  const spy = vi
    .spyOn(pool, 'run')
    .mockImplementation((task, stop) =>
      task.kind === 'hash' ? released.then(() => run(task)) : run(task, stop),
    )
  const release = (): void => {
    spy.mockRestore()
    resolve()
  }
  onTestFinished(release)
  return { release }
}

/** Whether a root is out. */
function isLater(vm: VM): boolean {
  return flatDataOf(vm.stateManager)!.hashing !== undefined
}

describe.each(hardforks)('a block of %s whose root comes later', (hardfork) => {
  it('gives what stock gives, one block after the other or all at once', async () => {
    const { world, blocks, results } = await wideChain(hardfork, 4)
    for (const areAwaited of [true, false]) {
      const vm = await flatVm(world)
      const runs: Promise<ParallelRunBlockResult>[] = []
      for (const block of blocks) {
        const { release } = holdHashing()
        const run = executor.runBlock(vm, { block, ...later })
        runs.push(run)
        if (areAwaited) {
          await run
          expect(isLater(vm)).toBe(true)
        }
        release()
      }
      for (const [i, run] of runs.entries()) {
        const result = await run
        expect(result.parallel.mode).toBe('parallel')
        expect(compareResults(results[i]!, result)).toEqual([])
        expect(await result.stateRootReady).toEqual(results[i]!.stateRoot)
      }
      expect(await vm.stateManager.getStateRoot()).toEqual(results.at(-1)!.stateRoot)
      // Each of them is a state that can be gone back to.
      for (const { stateRoot } of results) await vm.stateManager.setStateRoot(stateRoot)
    }
  }, 120_000)

  it('is taken back when its root is wrong, with what has begun since', async () => {
    const { world, blocks, results } = await wideChain(hardfork, 4)
    const vm = await flatVm(world)
    await (await executor.runBlock(vm, { block: blocks[0]!, ...later })).stateRootReady
    const wrong = withWrongRoot(blocks[1]!)
    const child = withHeader(blocks[2]!, { parentHash: wrong.hash() })
    const grandchild = withHeader(blocks[3]!, { parentHash: child.hash() })
    const stock = await world.vm()
    await runBlock(stock, { block: blocks[0]!, ...unchecked })
    const expected = await errorOf(runBlock(stock, { block: wrong, ...unchecked }))
    const { release } = holdHashing()
    const first = executor.runBlock(vm, { block: wrong, ...later })
    const checks = vi.spyOn(flatDataOf(vm.stateManager)!, 'follow')
    const following = [child, grandchild].map((block) =>
      errorOf(executor.runBlock(vm, { block, ...later })),
    )
    const { stateRootReady, parallel, stateRoot } = await first
    // The child has begun by then.
    await vi.waitFor(() => expect(checks).toHaveBeenCalledOnce(), 30_000)
    release()
    expect(parallel.mode).toBe('parallel')
    expect(stateRoot).toEqual(wrong.header.stateRoot)
    expect(String(await errorOf(stateRootReady))).toBe(String(expected))
    for (const error of await Promise.all(following)) {
      expect(error).toMatchObject({ code: 'PARENT_REFUSED' })
      expect(String((error as Error).cause)).toBe(String(expected))
    }
    expect(await vm.stateManager.getStateRoot()).toEqual(results[0]!.stateRoot)
    expect(await vm.stateManager.hasStateRoot(results[1]!.stateRoot)).toBe(false)
    // With the right header all goes on from there.
    for (const i of [1, 2, 3]) {
      const again = await executor.runBlock(vm, { block: blocks[i]!, ...later })
      expect(compareResults(results[i]!, again)).toEqual([])
      expect(await again.stateRootReady).toEqual(results[i]!.stateRoot)
    }
  }, 120_000)
})

describe('pipeline', () => {
  let chain: Chain
  beforeAll(async () => {
    chain = await wideChain('prague', 3)
  }, 60_000)

  it('refuses a block that names a refused one as its parent, however late it comes', async () => {
    const { world, blocks } = chain
    const vm = await flatVm(world)
    const before = await vm.stateManager.getStateRoot()
    const wrong = withWrongRoot(blocks[0]!)
    expect(await lateErrorOf(executor.runBlock(vm, { block: wrong, ...later }))).toBeDefined()
    const child = withHeader(blocks[1]!, { parentHash: wrong.hash() })
    for (const pipeline of [true, false]) {
      const run = executor.runBlock(vm, { block: child, ...unchecked, pipeline })
      await expect(run).rejects.toMatchObject({ code: 'PARENT_REFUSED' })
    }
    expect(await vm.stateManager.getStateRoot()).toEqual(before)
  }, 60_000)

  it('is waited for by who writes, reads storage roots, or copies', async () => {
    const { world, blocks, results } = chain
    const right = results[0]!.stateRoot
    const run = async (): Promise<FlatState> => {
      const vm = await flatVm(world)
      const { release } = holdHashing()
      await executor.runBlock(vm, { block: blocks[0]!, ...later })
      expect(isLater(vm)).toBe(true)
      setImmediate(release)
      return vm.stateManager as FlatState
    }
    expect(await (await run()).hasStateRoot(right)).toBe(true)
    expect(await (await run()).shallowCopy().getStateRoot()).toEqual(right)
    const state = await run()
    const stock = await world.vm()
    await runBlock(stock, { block: blocks[0]!, ...unchecked })
    for (const address of [hot[0]!, counter]) {
      const account = await state.getAccount(address)
      const expected = await stock.stateManager.getAccount(address)
      expect(bytesToHex(account!.storageRoot)).toBe(bytesToHex(expected!.storageRoot))
    }
    for (const manager of [await run(), stock.stateManager]) {
      await manager.putStorage(counter, new Uint8Array(32).fill(3), Uint8Array.of(9))
      if (manager === stock.stateManager) continue
      expect(await manager.hasStateRoot(right)).toBe(true)
      expect(await state.getStateRoot()).toEqual(right)
    }
  }, 60_000)

  it('is waited for by a checkpoint of somebody else, whose work is on the state before', async () => {
    const { world, blocks } = chain
    const vm = await flatVm(world)
    const state = vm.stateManager as FlatState
    const before = await state.getStateRoot()
    const nonces = (): Promise<bigint | undefined> =>
      state.getAccount(createAddressFromString(sender)).then((it) => it?.nonce)
    const sender = blocks[0]!.transactions[0]!.getSenderAddress().toString()
    const { release } = holdHashing()
    const run = await executor.runBlock(vm, { block: withWrongRoot(blocks[0]!), ...later })
    expect(await nonces()).toBe(1n)
    setImmediate(release)
    // Stock's runBlock opens one first.
    await runBlock(vm, { block: blocks[0]!, ...unchecked })
    expect(await errorOf(run.stateRootReady)).toBeDefined()
    expect(await nonces()).toBe(1n)
    await state.setStateRoot(before)
    expect(await nonces()).toBe(0n)
    const again = await executor.runBlock(vm, { block: withWrongRoot(blocks[0]!), ...later })
    await state.putAccount(createAddressFromString(sender), new Account(7n, 8n))
    expect(await errorOf(again.stateRootReady)).toBeDefined()
    expect(await nonces()).toBe(7n)
  }, 60_000)

  it('is never what a copy is made of that is taken while the next block waits for it', async () => {
    const { world, blocks } = chain
    const vm = await flatVm(world)
    const state = vm.stateManager as FlatState
    const before = await state.getStateRoot()
    const wrong = withWrongRoot(blocks[0]!)
    const child = withHeader(blocks[1]!, { parentHash: wrong.hash() })
    const { release } = holdHashing()
    const checks = vi.spyOn(flatDataOf(state)!, 'follow')
    const run = await executor.runBlock(vm, { block: wrong, ...later })
    const following = errorOf(executor.runBlock(vm, { block: child, ...later }))
    await vi.waitFor(() => expect(checks).toHaveBeenCalledOnce(), 30_000)
    const copy = state.shallowCopy()
    release()
    expect(await errorOf(run.stateRootReady)).toBeDefined()
    expect(await following).toMatchObject({ code: 'PARENT_REFUSED' })
    expect(await copy.getStateRoot()).toEqual(before)
    expect(await state.getStateRoot()).toEqual(before)
  }, 60_000)

  it('has no effect where the root is needed at once, or the state is another', async () => {
    const { world, blocks, results } = chain
    const seen: unknown[] = []
    const listening = await flatVm(world)
    listening.events.on('afterBlock', ({ stateRoot }) => {
      seen.push(stateRoot)
    })
    const within = await flatVm(world)
    await within.stateManager.checkpoint()
    for (const vm of [listening, within, await world.vm()]) {
      const wrong = withWrongRoot(blocks[0]!)
      const refused = executor.runBlock(vm, { block: wrong, ...later })
      await expect(refused).rejects.toThrow('invalid block stateRoot')
      if (vm !== listening && vm !== within) await vm.stateManager.setStateRoot(world.template.root)
      const result = await executor.runBlock(vm, { block: blocks[0]!, ...later })
      expect(result.stateRoot).toEqual(results[0]!.stateRoot)
      expect(await result.stateRootReady).toEqual(results[0]!.stateRoot)
    }
    expect(seen).toEqual([results[0]!.stateRoot])
    const vm = await flatVm(world)
    const none = await executor.runBlock(vm, { block: blocks[0]!, ...unchecked })
    expect(none.stateRootReady).toBeUndefined()
    expect(isLater(vm)).toBe(false)
    const wrongType = { block: blocks[0]!, pipeline: 1 } as never
    await expect(executor.runBlock(vm, wrongType)).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    })
  }, 60_000)

  it('lets listeners hear what stock lets them hear, and of no block that follows a refused one', async () => {
    const { world, blocks, results } = chain
    const [ours, stock] = [await flatVm(world), await world.vm()]
    await executor.runBlock(ours, { block: blocks[0]!, ...later })
    await runBlock(stock, { block: blocks[0]!, ...unchecked })
    // Who comes while a root is out is told of the next block, and of nothing before.
    const [ourEvents, stockEvents] = [recordEvents(ours), recordEvents(stock)]
    await executor.runBlock(ours, { block: blocks[1]!, ...later })
    await runBlock(stock, { block: blocks[1]!, ...unchecked })
    expect(compareAny(stockEvents.stop(), ourEvents.stop(), 'events')).toEqual([])

    const wrong = withWrongRoot(blocks[2]!)
    const { release } = holdHashing()
    await executor.runBlock(ours, { block: wrong, ...later })
    expect(isLater(ours)).toBe(true)
    setImmediate(release)
    const none = recordEvents(ours)
    const told = vi.fn()
    const child = withHeader(blocks[2]!, { parentHash: wrong.hash() })
    for (const onTransaction of [undefined, told]) {
      const options = onTransaction === undefined ? later : { ...later, onTransaction }
      const run = executor.runBlock(ours, { block: child, ...options })
      await expect(run).rejects.toMatchObject({ code: 'PARENT_REFUSED' })
    }
    expect(none.stop()).toEqual([])
    expect(told).not.toHaveBeenCalled()
    expect(await ours.stateManager.getStateRoot()).toEqual(results[1]!.stateRoot)
  }, 60_000)

  it('announces no block whose root is wrong to a listener that comes while it ends', async () => {
    const { world, blocks } = chain
    const vm = await flatVm(world)
    const heard = vi.fn()
    const commit = vm.evm.journal.commit.bind(vm.evm.journal)
    vm.evm.journal.commit = async () => {
      await commit()
      vm.events.on('afterBlock', heard)
    }
    const run = executor.runBlock(vm, { block: withWrongRoot(blocks[0]!), ...later })
    await expect(run).rejects.toThrow('invalid block stateRoot')
    expect(heard).not.toHaveBeenCalled()
  }, 60_000)

  it('says what else is wrong with a header at once, as stock does', async () => {
    const { world, blocks } = chain
    const vm = await flatVm(world)
    const before = await vm.stateManager.getStateRoot()
    const block = withHeader(withWrongRoot(blocks[0]!), { gasUsed: 5n })
    await expect(executor.runBlock(vm, { block, ...later })).rejects.toThrow('invalid gasUsed')
    expect(await vm.stateManager.getStateRoot()).toEqual(before)
    const right = await executor.runBlock(vm, { block: blocks[0]!, ...later })
    expect(await right.stateRootReady).toEqual(blocks[0]!.header.stateRoot)
  }, 60_000)

  it('is finished before the executor closes', async () => {
    const { world, blocks, results } = chain
    const vm = await flatVm(world)
    const own = await strictExecutor()
    const { release } = holdHashing(own)
    const { stateRootReady } = await own.runBlock(vm, { block: blocks[0]!, ...later })
    expect(isLater(vm)).toBe(true)
    setImmediate(release)
    await own.close()
    expect(isLater(vm)).toBe(false)
    expect(await stateRootReady).toEqual(results[0]!.stateRoot)
  }, 60_000)
})

describe('a pipelined chain', () => {
  it('is right although workers die while they hash its roots', async () => {
    const { world, blocks, results } = await wideChain('prague', 4)
    await using own = await strictExecutor({ fallback: true })
    const vm = await flatVm(world)
    for (const [i, block] of blocks.entries()) {
      const result = await own.runBlock(vm, { block, ...later })
      const died = i % 2 === 0 ? threadsOf(own) : threadsOf(own).slice(0, 1)
      if (i >= 2) await new Promise(setImmediate)
      for (const thread of died) void thread.terminate()
      expect(compareResults(results[i]!, result)).toEqual([])
      // Of some the root is awaited, others are followed at once.
      if (i % 2 > 0) expect(await result.stateRootReady).toEqual(results[i]!.stateRoot)
    }
    expect(await vm.stateManager.getStateRoot()).toEqual(results.at(-1)!.stateRoot)
    for (const { stateRoot } of results) await vm.stateManager.setStateRoot(stateRoot)
  }, 120_000)

  it('is stored in whole blocks, whenever the process is killed', async () => {
    const { world, blocks, results } = await wideChain('london', 5)
    const roots = [world.template.root, ...results.map(({ stateRoot }) => stateRoot)]
    const path = mkdtempSync(join(tmpdir(), 'pipeline-'))
    try {
      for (const lines of [2, 3]) {
        const told = await killedAfter(lines, path, blocks.length)
        const vm = await flatVm(world, { path })
        const root = await vm.stateManager.getStateRoot()
        const done = roots.findIndex((it) => equalsBytes(it, root))
        expect(done).toBeGreaterThanOrEqual(told)
        const slots = await vm.stateManager.dumpStorage!(hot[0]!)
        expect(new Set(Object.values(slots))).toEqual(
          new Set(done === 0 ? ['0x09'] : [slotOf(done)]),
        )
        await (vm.stateManager as FlatState).close()
      }
      const vm = await flatVm(world, { path })
      const root = await vm.stateManager.getStateRoot()
      for (const block of blocks.slice(roots.findIndex((it) => equalsBytes(it, root)))) {
        await executor.runBlock(vm, { block, ...later })
      }
      expect(await vm.stateManager.getStateRoot()).toEqual(roots.at(-1))
      await (vm.stateManager as FlatState).close()
    } finally {
      rmSync(path, { recursive: true, force: true })
    }
  }, 240_000)
})

/** What the block with this number sets slots to, as a dump says it. */
function slotOf(number: number): string {
  return bytesToHex(RLP.encode(Uint8Array.of(number)))
}

/** Runs the chain in a process that is killed when it has told so many lines; returns the last of them. */
async function killedAfter(lines: number, path: string, length: number): Promise<number> {
  const program = join(import.meta.dirname, 'support/pipelined-process.ts')
  const child = spawn(process.execPath, [program, path, String(length)])
  let [output, errors] = ['', '']
  child.stderr.on('data', (data) => {
    errors += data
  })
  child.stdout.on('data', (data) => {
    output += data
    if (output.split('\n').length > lines) child.kill('SIGKILL')
  })
  const signal = await new Promise((resolve) => child.on('exit', (_, by) => resolve(by)))
  expect(signal, errors).toBe('SIGKILL')
  return Number(output.trim().split('\n').at(-1))
}
