// What goes wrong while the calling thread predicts and plans a block, and while it learns from it. The block
// is stock's, or is refused and leaves nothing behind. Each fault comes from within the templates.
// It must not run blocks side by side: the templates of all executors are replaced meanwhile.
import type { MerkleStateManager } from '@ethereumjs/statemanager'
import { beforeEach, describe, expect, it } from 'vitest'
import { TemplateLibrary } from '../../src/access/template-library.ts'
import type { ParallelExecutor } from '../../src/index.ts'
import { threadsOf } from '../support/executor-internals.ts'
import { fillHeader, sidesOf } from '../support/hand-made-block.ts'
import { contracts } from '../support/random-world.ts'
import {
  blockWith,
  closed,
  disabled,
  expectHealed,
  killAll,
  newExecutor,
  runUnrecovered,
  templatesOf,
  unrecovered,
  world,
} from '../support/unrecovered-blocks.ts'

const { counter } = contracts
let executor: ParallelExecutor

beforeEach(async () => {
  executor = await newExecutor({ fallback: true })
  return () => executor.close()
})

type Methods = Partial<Pick<TemplateLibrary, 'predict' | 'observe'>>

/** Runs `work` while every library has these methods in place of its own. */
async function withLibrary<T>(methods: Methods, work: () => Promise<T>): Promise<T> {
  const { predict, observe } = TemplateLibrary.prototype
  Object.assign(TemplateLibrary.prototype, methods)
  try {
    return await work()
  } finally {
    Object.assign(TemplateLibrary.prototype, { predict, observe })
  }
}

/** Templates that do `disturb` when they are first asked, which is while the block is planned. */
function disturbing(disturb: () => void): Methods & { readonly asked: number } {
  const counted = {
    asked: 0,
    predict: () => {
      if (counted.asked++ === 0) disturb()
      return 'none' as const
    },
  }
  return counted
}

describe('while the block is planned', () => {
  it('an error of the templates: the block is equal and reports it, and the next is planned', async () => {
    await expectHealed(executor)
    const learned = await templatesOf(executor)
    const templates = disturbing(() => {
      throw new Error('nothing can be predicted')
    })
    const run = await withLibrary(templates, () => runUnrecovered(executor, blockWith(0)))
    expect(templates.asked).toBe(1)
    expect(run.differences).toEqual([])
    expect(run.report).toMatchObject({ incidents: ['nothing can be predicted'], fallbackFrom: 0 })
    expect(await templatesOf(executor)).toEqual(learned)
    await expectHealed(executor)
  })

  it('an error of the templates: the block is refused where the fallback is off', async () => {
    const strict = await newExecutor({ fallback: false })
    try {
      const vm = await world.vm()
      const root = await vm.stateManager.getStateRoot()
      const broken = new Error('nothing can be predicted')
      const templates = disturbing(() => {
        throw broken
      })
      const block = unrecovered(blockWith(0))
      const refused = withLibrary(templates, () => strict.runBlock(vm, { ...fillHeader, block }))
      await expect(refused).rejects.toMatchObject({ ...disabled, cause: broken })
      expect(await vm.stateManager.getStateRoot()).toEqual(root)
      await expectHealed(strict)
    } finally {
      await strict.close()
    }
  })

  it('killed workers: the block is equal, and the pool heals', async () => {
    await expectHealed(executor)
    const learned = await templatesOf(executor)
    const templates = disturbing(() => killAll(executor))
    const run = await withLibrary(templates, () => runUnrecovered(executor, blockWith(0)))
    expect(templates.asked).toBeGreaterThan(0)
    expect(run.differences).toEqual([])
    expect(run.report?.incidents[0]).toContain('A worker died')
    expect(await templatesOf(executor)).toEqual(learned)
    await expectHealed(executor)
  })

  it('a slot that a prediction asks for and that cannot be read: the block is equal, and the next', async () => {
    await expectHealed(executor)
    const learned = await templatesOf(executor)
    const slot = new Uint8Array(32).fill(7)
    const sides = await sidesOf(world)
    const { ours } = sides
    const manager = ours.stateManager as MerkleStateManager
    const getStorage = manager.getStorage.bind(manager)
    let failures = 0
    // Nobody but the prediction asks for this one.
    manager.getStorage = async (address, key) => {
      if (Buffer.compare(key, slot) !== 0) return getStorage(address, key)
      failures++
      throw new Error('the disk is gone')
    }
    const predict: TemplateLibrary['predict'] = (_facts, _codeHash, _sink, loadSlot) => {
      loadSlot(counter.bytes, slot)
      return 'partial'
    }
    const run = await withLibrary({ predict }, () => runUnrecovered(executor, blockWith(0), sides))
    expect(failures).toBe(1)
    expect(run.differences).toEqual([])
    expect(run.report?.incidents).toEqual(['the disk is gone'])
    expect(await templatesOf(executor)).toEqual(learned)
    await expectHealed(executor)
  })

  it('close() refuses the block, leaves the state as it was, and no thread', async () => {
    const vm = await world.vm()
    const root = await vm.stateManager.getStateRoot()
    let ending: Promise<void> | undefined
    const templates = disturbing(() => {
      ending = executor.close()
    })
    const block = unrecovered(blockWith(0))
    const refused = withLibrary(templates, () => executor.runBlock(vm, { ...fillHeader, block }))
    await expect(refused).rejects.toMatchObject(closed)
    await ending
    expect(templates.asked).toBeGreaterThan(0)
    expect(await vm.stateManager.getStateRoot()).toEqual(root)
    expect(threadsOf(executor)).toEqual([])
  })
})

describe('while the executor learns', () => {
  const observe = (): never => {
    throw new Error('nothing can be learned')
  }

  it('an error: the block is equal, in parallel, and reports it', async () => {
    const run = await withLibrary({ observe }, () => runUnrecovered(executor, blockWith(0)))
    expect(run.differences).toEqual([])
    expect(run.report).toMatchObject({
      mode: 'parallel',
      incidents: ['Nothing was learned: nothing can be learned'],
    })
    expect(run.report?.fallbackFrom).toBeUndefined()
    await expectHealed(executor)
    expect((await templatesOf(executor)).length).toBeGreaterThan(0)
  })

  it('an error: the block is refused where the fallback is off, and nothing hides it', async () => {
    const strict = await newExecutor({ fallback: false })
    try {
      const vm = await world.vm()
      const root = await vm.stateManager.getStateRoot()
      const block = unrecovered(blockWith(0))
      const refused = withLibrary({ observe }, () => strict.runBlock(vm, { ...fillHeader, block }))
      await expect(refused).rejects.toThrow('nothing can be learned')
      expect(await vm.stateManager.getStateRoot()).toEqual(root)
      await expectHealed(strict)
    } finally {
      await strict.close()
    }
  })
})
