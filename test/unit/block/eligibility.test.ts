// Why a block runs sequentially: every reason, as the report says it, and stock's result with it.
// Authority on the completeness of the list: each sentence of eligibility.ts is met here.
// It must not test what workers do; these blocks never reach them.
import { readFileSync } from 'node:fs'
import type { Block } from '@ethereumjs/block'
import { Common, createCustomCommon, Mainnet } from '@ethereumjs/common'
import { createEVM, EVM } from '@ethereumjs/evm'
import { LegacyTx, paramsTx } from '@ethereumjs/tx'
import { Address, createZeroAddress } from '@ethereumjs/util'
import { createVM, type RunBlockOpts, type VM } from '@ethereumjs/vm'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { createParallelExecutor, type ParallelExecutor } from '../../../src/index.ts'
import { assembleHex } from '../../support/assembler.ts'
import {
  blockOf,
  makeBlock,
  makeWorld,
  runBoth,
  type World,
} from '../../support/hand-made-block.ts'
import { type Actor, actors, contracts, ether } from '../../support/random-world.ts'
import { buildStateTemplate } from '../../support/state-template.ts'

const [alice, bob, carol] = actors as [Actor, Actor, Actor]
const { counter } = contracts
const code = assembleHex([0, 'SLOAD', 1, 'ADD', 0, 'SSTORE'])
const accounts = { [counter.toString()]: { code, nonce: 1n } }
const plan = { transactions: [alice, bob, carol].map((from) => ({ from, to: counter })) }
const common = { generate: true, skipBlockValidation: true }

let executor: ParallelExecutor
const met = new Set<string>()

beforeAll(async () => {
  executor = await createParallelExecutor({ workers: 1, scheduler: 'optimistic', fallback: false })
})
afterAll(() => executor?.close())

interface Case {
  readonly common?: Common
  readonly options?: Omit<RunBlockOpts, 'block'>
  /** Done to both VMs. */
  readonly prepare?: (vm: VM) => unknown
  readonly vm?: (made: VM) => Promise<VM> | VM
  readonly block?: (block: Block) => Block
  readonly plan?: Parameters<typeof makeBlock>[1]
  readonly oursOnly?: boolean
}

/** Equal to stock, sequential, for the reason given, and with a listener's events as stock's. */
async function expectSequential(why: string, one: Case): Promise<void> {
  met.add(why)
  const rules = one.common ?? new Common({ chain: Mainnet, hardfork: 'shanghai' })
  const rich = Object.fromEntries(
    actors.map(({ address }) => [address.toString(), { balance: 100n * ether }]),
  )
  const template = await buildStateTemplate(rules.copy(), { ...rich, ...accounts })
  const make = async (): Promise<VM> => {
    const own = rules.copy()
    const made = await createVM({ common: own, stateManager: template.copy(own) })
    const vm = one.vm === undefined ? made : await one.vm(made)
    await one.prepare?.(vm)
    return vm
  }
  const sides = { stock: await make(), ours: await make() }
  const made = makeBlock(rules.copy(), one.plan ?? plan)
  const block = one.block?.(made) ?? made
  if (one.oursOnly === true) {
    const result = await executor.runBlock(sides.ours, { ...common, ...one.options, block })
    expect(result.parallel).toMatchObject({ mode: 'sequential', why })
    return
  }
  const run = await runBoth(executor, sides, block, { ...common, ...one.options }, true)
  expect(run.differences).toEqual([])
  if (run.error !== undefined) return
  expect(run.report).toMatchObject({
    mode: 'sequential',
    why: expect.stringContaining(why),
    workers: 0,
    executions: 0,
    incidents: [],
  })
}

const chain = (hardfork: string, eips: number[] = []): Common =>
  new Common({ chain: Mainnet, hardfork, eips })

describe('rules that need the calling thread', () => {
  it('receipts with intermediate roots, before Byzantium', async () => {
    for (const hardfork of ['chainstart', 'homestead', 'spuriousDragon']) {
      await expectSequential('before Byzantium', { common: chain(hardfork) })
    }
  })

  it('block access lists', async () => {
    await expectSequential('is not yet run in parallel', { common: chain('amsterdam') })
    await expectSequential('EIP-7928 block access lists are not yet run in parallel', {
      common: chain('osaka', [7928]),
    })
  })

  it('proof of authority', async () => {
    const clique = createCustomCommon(
      { consensus: { type: 'poa', algorithm: 'clique', clique: { period: 15, epoch: 30_000 } } },
      Mainnet,
      { hardfork: 'london' },
    )
    await expectSequential('proof of authority', { common: clique })
  })

  it('the DAO fork', async () => {
    const forks = [
      { name: 'chainstart', block: 0 },
      { name: 'dao', block: 20 },
      { name: 'byzantium', block: 0 },
    ]
    const dao = createCustomCommon({ hardforks: forks }, Mainnet, { hardfork: 'byzantium' })
    const header = { extraData: new TextEncoder().encode('dao-hard-fork') }
    await expectSequential('the DAO fork', { common: dao, plan: { ...plan, header } })
  })
})

describe('options', () => {
  it('preimages', async () => {
    await expectSequential('preimages', { options: { reportPreimages: true } })
  })
})

describe('an EVM that is not plain', () => {
  it('of a class of its own', async () => {
    class OwnEVM extends EVM {}
    await expectSequential('an EVM of its own', {
      vm: async (made) => {
        const { common, stateManager, blockchain } = made
        const evm = await createEVM({ common, stateManager, blockchain })
        Object.setPrototypeOf(evm, OwnEVM.prototype)
        return createVM({ common, stateManager, blockchain, evm })
      },
    })
  })

  it('with another state manager', async () => {
    const other = await makeWorld({ hardfork: 'shanghai', accounts })
    await expectSequential('different state managers', {
      vm: async ({ common, stateManager, blockchain }) => {
        const evm = await createEVM({
          common,
          stateManager: other.template.copy(common),
          blockchain,
        })
        return createVM({ common, stateManager, blockchain, evm })
      },
    })
  })

  it('with other chain rules', async () => {
    await expectSequential('different chain rules', {
      vm: async ({ common, stateManager, blockchain }) => {
        const evm = await createEVM({ common: chain('paris'), stateManager, blockchain })
        return createVM({ common, stateManager, blockchain, evm })
      },
    })
  })

  it('with a frozen state manager', async () => {
    await expectSequential('writes to a frozen state manager go unseen', {
      prepare: (vm) => Object.preventExtensions(vm.stateManager),
    })
  })

  for (const method of ['runCall', 'runCode', 'runInterpreter', 'getPrecompile', 'runPrecompile']) {
    it(`whose ${method} was replaced`, async () => {
      let calls = 0
      await expectSequential(`the EVM's ${method} is replaced`, {
        prepare: ({ evm }) => {
          const methods = evm as unknown as Record<string, (...args: unknown[]) => unknown>
          const original = methods[method]
          methods[method] = (...args) => {
            calls++
            return original?.apply(evm, args)
          }
        },
      })
      if (method === 'runCall') expect(calls).toBe(2 * plan.transactions.length)
    })
  }

  for (const event of ['step', 'beforeMessage', 'afterMessage', 'newContract'] as const) {
    it(`that somebody listens to for ${event}`, async () => {
      const seen: number[] = []
      await expectSequential(`the EVM has a listener for "${event}"`, {
        prepare: (vm) => {
          const mine = seen.push(0) - 1
          vm.evm.events!.on(event, () => void seen[mine]!++)
        },
      })
      expect(seen[0]).toBe(seen[1])
      if (event === 'step') expect(seen[0]).toBeGreaterThan(0)
    })
  }

  it('with libraries of its own', async () => {
    const withField = (name: string): Case => ({
      prepare: ({ evm }) => {
        const fields = evm as unknown as Record<string, object>
        fields[name] = Object.create(
          Object.getPrototypeOf(Object.getPrototypeOf(fields[name] ?? {})),
        )
      },
    })
    await expectSequential('a BN254 library of its own', withField('_bn254'))
    await expectSequential('a BLS library of its own', {
      ...withField('_bls'),
      common: chain('prague'),
    })
    await expectSequential('a clique signer', {
      prepare: ({ evm }) => {
        const opts = (evm as unknown as { _optsCached: { cliqueSigner?: unknown } })._optsCached
        opts.cliqueSigner = () => createZeroAddress()
      },
    })
  })

  it('with custom opcodes or precompiles', async () => {
    await expectSequential('custom opcodes', {
      vm: ({ common, stateManager, blockchain }) =>
        createVM({
          common,
          stateManager,
          blockchain,
          evmOpts: { customOpcodes: [{ opcode: 0x20 }] },
        }),
    })
    await expectSequential('custom precompiles', {
      vm: ({ common, stateManager, blockchain }) =>
        createVM({
          common,
          stateManager,
          blockchain,
          evmOpts: { customPrecompiles: [{ address: new Address(new Uint8Array(20).fill(1)) }] },
        }),
    })
  })
})

describe('transactions that are not plain', () => {
  it('of a class of its own', async () => {
    class OwnTx extends LegacyTx {}
    await expectSequential('a transaction is of a class of its own', {
      block: ({ common, transactions }) =>
        blockOf(common, {}, [
          transactions[0]!,
          new OwnTx(fieldsOf(transactions[1] as LegacyTx), { common }),
        ]),
    })
  })

  it('with chain rules that differ from one to the other', async () => {
    await expectSequential('transactions have different chain rules', {
      block: ({ common, transactions }) => {
        const params = { ...paramsTx, 1: { ...paramsTx[1], txGas: 21_001 } }
        const second = new LegacyTx(fieldsOf(transactions[1] as LegacyTx), { common, params })
        return blockOf(common, {}, [transactions[0]!, second])
      },
    })
  })

  it('for another hardfork than the block', async () => {
    await expectSequential('a transaction has another hardfork than the block', {
      block: ({ common, transactions }) => {
        const older = new Common({ chain: Mainnet, hardfork: 'london' })
        const second = new LegacyTx(fieldsOf(transactions[1] as LegacyTx), { common: older })
        return blockOf(common, {}, [transactions[0]!, second])
      },
      // Running it aligns the transaction, so that the other side would find nothing to refuse.
      oursOnly: true,
    })
  })

  it('in a block for another hardfork than the VM', async () => {
    await expectSequential('block and VM have different hardforks', {
      vm: async (made) => {
        made.common.setHardfork('paris')
        return made
      },
    })
  })

  it('that were never signed', async () => {
    await expectSequential('a transaction is not signed, which stock refuses', {
      block: ({ common, transactions }) => {
        const { v: _v, r: _r, s: _s, ...unsigned } = fieldsOf(transactions[1] as LegacyTx)
        return blockOf(common, {}, [transactions[0]!, new LegacyTx(unsigned, { common })])
      },
    })
  })

  it('with a hash of its own', async () => {
    const rules = new Common({
      chain: Mainnet,
      hardfork: 'shanghai',
      customCrypto: { sha256: (message) => message.slice(0, 32) },
    })
    await expectSequential('custom crypto', { common: rules })
  })
})

function fieldsOf({ nonce, gasPrice, gasLimit, to, value, data, v, r, s }: LegacyTx) {
  return { nonce, gasPrice, gasLimit, to, value, data, v, r, s }
}

describe('the scheduler', () => {
  let world: World
  beforeAll(async () => {
    world = await makeWorld({ hardfork: 'shanghai', accounts })
  })

  it('sequential: says that it was asked for', async () => {
    const sequential = await createParallelExecutor({ workers: 1, scheduler: 'sequential' })
    const sides = { stock: await world.vm(), ours: await world.vm() }
    const run = await runBoth(sequential, sides, makeBlock(world.common, plan))
    expect(run.differences).toEqual([])
    expect(run.report).toMatchObject({
      mode: 'sequential',
      why: 'asked for by the scheduler option',
    })
    await sequential.close()
  })

  it('automatic: runs the smallest blocks inline, with the events of stock, and others on workers', async () => {
    const kzg = new URL('../../support/worker-setup-kzg.ts', import.meta.url)
    const auto = await createParallelExecutor({ workers: 2, workerSetup: kzg })
    for (const [count, mode] of [
      [1, 'inline'],
      [3, 'inline'],
      [40, 'parallel'],
    ] as const) {
      const sides = { stock: await world.vm(), ours: await world.vm() }
      const transactions = Array.from({ length: count }, (_, index) => ({
        from: actors[index % 8]!,
        to: counter,
      }))
      const run = await runBoth(
        auto,
        sides,
        makeBlock(world.common, { transactions }),
        common,
        true,
      )
      expect(run.differences).toEqual([])
      expect(run.report?.mode).toBe(mode)
      expect(run.report?.transactions).toBe(count)
      expect(run.report?.why).not.toBe('')
    }
    await auto.close()
  })
})

// Late in this file: once stock's profiler was on, it stays on for the process.
describe('profilers', () => {
  beforeAll(() => {
    for (const method of ['log', 'time', 'timeEnd'] as const) {
      vi.spyOn(console, method).mockImplementation(() => {})
    }
  })
  afterAll(() => {
    vi.restoreAllMocks()
  })

  it('of the VM', async () => {
    for (const when of ['reportAfterBlock', 'reportAfterTx']) {
      await expectSequential('the VM is profiled', {
        prepare: (vm) => {
          const opts = (vm as unknown as { _opts: { profilerOpts?: object } })._opts
          opts.profilerOpts = { [when]: true }
        },
      })
    }
  })

  it('of the EVM', async () => {
    await expectSequential('the EVM is profiled', {
      prepare: (vm) => {
        const opts = (vm.evm as unknown as { _optsCached: { profiler?: object } })._optsCached
        opts.profiler = { enabled: true }
      },
    })
  })
})

describe('the list of reasons', () => {
  it('is met as a whole', () => {
    const source = readFileSync(
      new URL('../../../src/block/eligibility.ts', import.meta.url),
      'utf8',
    )
    const sentences = [...source.matchAll(/return (?:needsSetup\()?['`]([^'`]+(?:'s[^'`]*)?)['`]/g)]
      .map(([, sentence]) => sentence!)
      .filter((sentence) => !sentence.startsWith('the VM has ${'))
    expect(sentences.length).toBeGreaterThan(15)
    const isMet = (sentence: string): boolean => {
      const fixed = sentence.split(/\$\{[^}]*\}/).filter((part) => part.length > 4)
      const [longest] = fixed.sort((a, b) => b.length - a.length)
      return [...met].some((one) => sentence.includes(one) || one.includes(longest ?? sentence))
    }
    // Nobody can build a binary tree VM with the packages that we depend on.
    const unmet = sentences.filter((one) => !isMet(one) && !one.includes('binds execution'))
    expect(unmet).toEqual([])
  })
})
