// Listeners that only look, that come while the block runs, or that call the executor themselves.
// Authority on what they see, which is what stock shows them, and on that looking costs no fallback.
// It must not wait without a limit: what is tested here would wait for ever if it were wrong.
import { getMerkleStateProof, type MerkleStateManager } from '@ethereumjs/statemanager'
import { bytesToHex } from '@ethereumjs/util'
import { runBlock, type VM } from '@ethereumjs/vm'
import { describe, expect, it } from 'vitest'
import { createParallelExecutor } from '../../../src/index.ts'
import { type BlockPlan, fillHeader, makeBlock, sidesOf } from '../../support/hand-made-block.ts'
import { actors, contracts } from '../../support/random-world.ts'
import { kzgSetup } from '../../support/strict-executor.ts'
import { strictSuite } from '../../support/strict-suite.ts'
import { compareListeners, listenedWorld, twelve } from './support/listeners.ts'

const { counter } = contracts
const suite = strictSuite(listenedWorld)

const looks: Readonly<Record<string, (manager: MerkleStateManager) => Promise<unknown>>> = {
  'the storage root of an account': async (manager) =>
    bytesToHex((await manager.getAccount(counter))!.storageRoot),
  'the state root': async (manager) => bytesToHex(await manager.getStateRoot()),
  'all of the storage': (manager) => manager.dumpStorage(counter),
  'a range of the storage': (manager) => manager.dumpStorageRange(counter, 0n, 5),
  'a proof': async (manager) => (await getMerkleStateProof(manager, counter, [])).storageHash,
  'whether a root is known': async (manager) => manager.hasStateRoot(await manager.getStateRoot()),
  'a copy': async (manager) => {
    await manager.getStateRoot()
    return bytesToHex(await manager.shallowCopy().getStateRoot())
  },
}

const payments: BlockPlan = {
  transactions: Array.from({ length: 6 }, (_, index) => ({
    from: actors[index % 2]!,
    to: actors[3]!.address,
    value: 5n,
  })),
}

describe('a listener that only looks', () => {
  for (const event of ['beforeTx', 'afterTx'] as const) {
    for (const [kind, plan] of [
      ['calls', twelve],
      ['payments', payments],
    ] as const) {
      it.each(Object.entries(looks))(
        `sees, in ${event} of ${kind}, %s as stock`,
        async (_, look) => {
          const { seen } = await compareListeners(
            suite,
            (vm, found) => {
              vm.events.on(event, (_data: unknown, done?: (value?: unknown) => void) => {
                void look(vm.stateManager as MerkleStateManager).then((what) => {
                  found.push(what)
                  done?.()
                })
              })
            },
            plan,
            1,
          )
          expect(seen).toHaveLength(plan.transactions!.length)
        },
      )
    }
  }

  it('at accounts keeps the block parallel', async () => {
    const { report } = await compareListeners(suite, (vm, found) => {
      vm.events.on('afterTx', (_data: unknown, done?: (value?: unknown) => void) => {
        void vm.stateManager.getAccount(counter).then((account) => {
          found.push(bytesToHex(account!.storageRoot))
          done?.()
        })
      })
    })
    expect(report).toMatchObject({ mode: 'parallel', incidents: [] })
  })
})

describe('a listener that comes while the block runs', () => {
  it('sees the state after all transactions before', async () => {
    const nonces: bigint[] = []
    const { ours } = await sidesOf(suite.world)
    const listen = (): void => {
      ours.events.on('afterTx', (_data: unknown, done?: (value?: unknown) => void) => {
        void ours.stateManager.getAccount(actors[0]!.address).then((account) => {
          nonces.push(account!.nonce)
          done?.()
        })
      })
    }
    const block = makeBlock(suite.world.common, twelve)
    await suite.executor.runBlock(ours, {
      block,
      ...fillHeader,
      onTransaction: ({ index }) => {
        if (index === 5) listen()
      },
    })
    // Every third transaction is the first actor's: numbers 0, 3, 6 and 9.
    expect(nonces).toEqual([3n, 3n, 3n, 4n, 4n, 4n])
  })

  it('and that empties the block: the rest is run as stock runs it', async () => {
    const { stock, ours } = await sidesOf(suite.world)
    const emptied = (vm: VM) => {
      vm.events.on('beforeBlock', (block, done) => {
        block.transactions.length = 0
        done?.()
      })
      const block = makeBlock(suite.world.common, twelve)
      return { block, ...fillHeader }
    }
    const expected = await runBlock(stock, emptied(stock))
    const result = await suite.executor.runBlock(ours, emptied(ours))
    expect(result.parallel).toMatchObject({ mode: 'inline', transactions: 0 })
    expect(bytesToHex(result.stateRoot)).toBe(bytesToHex(expected.stateRoot))
    expect(result.results).toEqual([])
  })
})

describe('a listener that calls the executor', () => {
  const within = <T>(work: Promise<T>): Promise<T> => {
    const late = new Promise<never>((_, reject) => {
      setTimeout(() => reject(new Error('it waits for ever')), 300_000).unref()
    })
    return Promise.race([work, late])
  }
  const other = async (): Promise<{
    vm: VM
    run: () => ReturnType<typeof suite.executor.runBlock>
  }> => {
    const { ours } = await sidesOf(suite.world)
    const block = makeBlock(suite.world.common, twelve)
    return { vm: ours, run: () => suite.executor.runBlock(ours, { block, ...fillHeader }) }
  }

  it('gets its block run at once with stock, while its own block has the workers', async () => {
    const [outer, inner] = [await other(), await other()]
    const modes: string[] = []
    outer.vm.events.on('afterTx', (_data: unknown, done?: (value?: unknown) => void) => {
      outer.vm.events.removeAllListeners()
      void inner.run().then(({ parallel }) => {
        modes.push(`${parallel.mode}: ${parallel.why}`)
        done?.()
      })
    })
    const { parallel } = await within(outer.run())
    expect(modes).toEqual(['sequential: called by a listener of a block that has the workers'])
    expect(parallel.mode).toBe('parallel')
  })

  it('gets its block run in parallel, once its own block is in the state', async () => {
    const [outer, inner] = [await other(), await other()]
    const modes: string[] = []
    outer.vm.events.on('afterBlock', (_data: unknown, done?: (value?: unknown) => void) => {
      void inner.run().then(({ parallel }) => {
        modes.push(parallel.mode)
        done?.()
      })
    })
    await within(outer.run())
    expect(modes).toEqual(['parallel'])
  })

  it('can close it, and its block is rejected', async () => {
    const executor = await createParallelExecutor({ workers: 1, workerSetup: kzgSetup })
    const { ours } = await sidesOf(suite.world)
    const run = executor.runBlock(ours, {
      block: makeBlock(suite.world.common, twelve),
      ...fillHeader,
      onTransaction: () => executor.close(),
    })
    await expect(within(run)).rejects.toMatchObject({ code: 'EXECUTOR_CLOSED' })
    await within(executor.close())
  })
})
