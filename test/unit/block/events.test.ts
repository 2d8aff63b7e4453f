// Events as stock emits them: order, payloads, the state that a listener sees, and what it may throw.
// Authority on listeners that read, wait, throw and attach others, compared with stock's runBlock.
// It must not depend on timing: a listener's effect is the same whenever workers get there.
import type { MerklePatriciaTrie } from '@ethereumjs/mpt'
import { bytesToHex } from '@ethereumjs/util'
import type { VM } from '@ethereumjs/vm'
import { describe, expect, it } from 'vitest'
import {
  type BlockPlan,
  fillHeader,
  makeBlock,
  runBoth,
  sidesOf,
} from '../../support/hand-made-block.ts'
import { actors, contracts, numberWord } from '../../support/random-world.ts'
import { strictSuite } from '../../support/strict-suite.ts'
import { compareListeners, followUp, listenedWorld, twelve } from './support/listeners.ts'

const [alice, bob, carol, dave] = actors
const { counter, reader } = contracts

const suite = strictSuite(listenedWorld)

function compare(listen: Parameters<typeof compareListeners>[1], plan?: BlockPlan, times?: number) {
  return compareListeners(suite, listen, plan, times)
}

describe('listeners that look', () => {
  it('get the events of stock in the order of stock, with its payloads', async () => {
    for (let time = 0; time < 2; time++) {
      const block = makeBlock(suite.world.common, twelve)
      const run = await runBoth(suite.executor, await sidesOf(suite.world), block, undefined, true)
      expect(run.differences).toEqual([])
      expect(run.report).toMatchObject({ mode: 'parallel', incidents: [] })
    }
  })

  it('get the very transaction and the very result that the block gives', async () => {
    const vm = await suite.world.vm()
    const block = makeBlock(suite.world.common, twelve)
    const transactions: unknown[] = []
    const receipts: unknown[] = []
    vm.events.on('beforeTx', (tx) => transactions.push(tx))
    vm.events.on('afterTx', ({ receipt }) => receipts.push(receipt))
    const result = await suite.executor.runBlock(vm, { ...fillHeader, block })
    expect(transactions.every((tx, index) => tx === block.transactions[index])).toBe(true)
    expect(receipts.every((receipt, index) => receipt === result.receipts[index])).toBe(true)
  })

  it('see the state before and after each transaction as stock shows it', async () => {
    const { report } = await compare((vm, seen) => {
      const look = async (when: string, done?: (value?: unknown) => void): Promise<void> => {
        const state: Record<string, unknown> = { when }
        for (const { address } of [alice, bob, carol, dave]) {
          const account = await vm.stateManager.getAccount(address)
          state[address.toString()] = [account?.nonce, account?.balance]
        }
        state.slot = await vm.stateManager.getStorage(counter, numberWord(0))
        state.seen = await vm.stateManager.getStorage(reader, numberWord(1))
        seen.push(state)
        done?.()
      }
      vm.events.on('beforeTx', (_tx, done) => void look('before', done))
      vm.events.on('afterTx', (_event, done) => void look('after', done))
    })
    expect(report).toMatchObject({ mode: 'parallel', incidents: [] })
  })

  it('that ask for the state root after each transaction get the one of stock', async () => {
    const { seen } = await compare((vm, roots) => {
      vm.events.on('afterTx', (_event, done) => {
        void vm.stateManager.getStateRoot().then((root) => {
          roots.push(bytesToHex(root))
          done?.()
        })
      })
    })
    expect(new Set(seen).size).toBe(twelve.transactions.length)
  })

  it('are waited for where they take a second argument', async () => {
    const { seen } = await compare((vm, log) => {
      for (const event of ['beforeBlock', 'beforeTx', 'afterTx', 'afterBlock'] as const) {
        vm.events.on(event, (_data: unknown, done?: (value?: unknown) => void) => {
          log.push(`${event} begins`)
          setTimeout(() => {
            log.push(`${event} ends`)
            done?.()
          }, 2)
        })
        vm.events.on(event, () => void log.push(`${event} seen by another`))
      }
    })
    expect(seen.slice(0, 6)).toEqual([
      'beforeBlock begins',
      'beforeBlock ends',
      'beforeBlock seen by another',
      'beforeTx begins',
      'beforeTx ends',
      'beforeTx seen by another',
    ])
  })

  it('run as often as stock runs them when they were added for one event only', async () => {
    await compare((vm, seen) => {
      vm.events.once('beforeTx', (tx) => seen.push(bytesToHex(tx.hash())))
      vm.events.once('afterTx', ({ totalGasSpent }) => seen.push(totalGasSpent))
      vm.events.once('beforeBlock', (block) => {
        seen.push(block.header.number)
        vm.events.once('afterBlock', ({ gasUsed }) => seen.push(gasUsed))
      })
    })
  })
})

describe('listeners that throw', () => {
  for (const event of ['beforeBlock', 'beforeTx', 'afterTx', 'afterBlock'] as const) {
    it(`in ${event}: the same error and the same state as stock`, async () => {
      for (const turn of [0, 7]) {
        const { stock, ours } = await sidesOf(suite.world)
        for (const vm of [stock, ours]) {
          let count = 0
          vm.events.on(event, () => {
            if (count++ >= turn || event.endsWith('Block')) throw new Error(`no more of ${event}`)
          })
        }
        const run = await runBoth(
          suite.executor,
          { stock, ours },
          makeBlock(suite.world.common, twelve),
        )
        expect(run.differences).toEqual([])
        expect(run.error).toMatchObject({ message: `no more of ${event}` })
        const checkpoints = ({ stateManager }: VM): number =>
          (stateManager as unknown as { _trie: MerklePatriciaTrie })._trie.database().checkpoints
            .length
        expect(checkpoints(ours)).toBe(checkpoints(stock))
        for (const vm of [stock, ours]) {
          if (event !== 'afterBlock') await vm.stateManager.setStateRoot(suite.world.template.root)
        }
        expect(await followUp(suite, { stock, ours }, twelve)).toEqual([])
      }
    })
  }
})

describe('listeners that attach others', () => {
  it('to the steps of one transaction: they get the steps that stock gives them', async () => {
    const { seen } = await compare((vm, steps) => {
      let count = 0
      vm.events.on('beforeTx', () => {
        if (count++ === 4) vm.evm.events!.on('step', ({ opcode }) => void steps.push(opcode.name))
      })
      vm.events.on('afterTx', () => {
        if (count === 5) vm.evm.events!.removeAllListeners('step')
      })
    })
    expect(seen.length).toBeGreaterThan(0)
  })

  it('to the steps of the whole block, in beforeBlock', async () => {
    const { seen } = await compare((vm, steps) => {
      vm.events.on('beforeBlock', () => {
        vm.evm.events!.on('step', ({ opcode }) => void steps.push(opcode.name))
      })
    })
    expect(seen.length).toBeGreaterThan(0)
  })
})
