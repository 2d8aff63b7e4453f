// Why a block runs sequentially: every reason, as the report says it, and stock's result with it.
// Authority on the completeness of the list: each sentence of eligibility.ts is met here.
// It must not test what workers do; these blocks never reach them.
import { readFileSync } from 'node:fs'
import { Block, BlockHeader } from '@ethereumjs/block'
import { Common, createCustomCommon, Mainnet } from '@ethereumjs/common'
import { createEVM, EVM } from '@ethereumjs/evm'
import { LegacyTx, paramsTx } from '@ethereumjs/tx'
import { Address, createZeroAddress } from '@ethereumjs/util'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { createParallelExecutor, type ParallelExecutor } from '../../../src/index.ts'
import { makeWorld } from '../../support/hand-made-block.ts'
import {
  chain,
  countedAccounts,
  expectSequential as expectSequentialOn,
  type OddBlock,
  secondReplaced,
  threeCalls,
  withEvm,
  withEvmOptions,
} from './support/odd-block.ts'

let executor: ParallelExecutor
const met = new Set<string>()

beforeAll(async () => {
  executor = await createParallelExecutor({ workers: 1, scheduler: 'optimistic', fallback: false })
})
afterAll(() => executor?.close())

function expectSequential(why: string, one: OddBlock): Promise<void> {
  met.add(why)
  return expectSequentialOn(executor, why, one)
}

describe('rules that need the calling thread', () => {
  it('receipts with intermediate roots, before Byzantium', async () => {
    for (const hardfork of ['chainstart', 'homestead', 'spuriousDragon']) {
      await expectSequential('before Byzantium', { common: chain(hardfork) })
    }
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
    await expectSequential('the DAO fork', { common: dao, plan: { ...threeCalls, header } })
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
      vm: withEvm(async (plain) => {
        const evm = await createEVM(plain)
        Object.setPrototypeOf(evm, OwnEVM.prototype)
        return evm
      }),
    })
  })

  it('with another state manager', async () => {
    const other = await makeWorld({ hardfork: 'shanghai', accounts: countedAccounts })
    await expectSequential('different state managers', {
      vm: withEvm((plain) =>
        createEVM({ ...plain, stateManager: other.template.copy(plain.common) }),
      ),
    })
  })

  it('with other chain rules', async () => {
    await expectSequential('different chain rules', {
      vm: withEvm((plain) => createEVM({ ...plain, common: chain('paris') })),
    })
  })

  it('with opcodes of before its chain rules changed', async () => {
    await expectSequential("the EVM's opcodes are not those of its chain rules", {
      prepare: ({ common }) => common.updateParams({ 1: { addGas: 10 } }),
    })
  })

  it('with a frozen state manager', async () => {
    await expectSequential('writes to a frozen state manager go unseen', {
      prepare: (vm) => Object.preventExtensions(vm.stateManager),
    })
  })

  it.each(['runCall', 'runCode', 'runInterpreter', 'getPrecompile', 'runPrecompile'])(
    'whose %s was replaced',
    async (method) => {
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
      if (method === 'runCall') expect(calls).toBe(2 * threeCalls.transactions.length)
    },
  )

  it.each(['step', 'beforeMessage', 'afterMessage', 'newContract'] as const)(
    'that somebody listens to for %s',
    async (event) => {
      const seen: number[] = []
      await expectSequential(`the EVM has a listener for "${event}"`, {
        prepare: (vm) => {
          const mine = seen.push(0) - 1
          vm.evm.events!.on(event, () => void seen[mine]!++)
        },
      })
      expect(seen[0]).toBe(seen[1])
      if (event === 'step') expect(seen[0]).toBeGreaterThan(0)
    },
  )

  it('with libraries of its own', async () => {
    const withField = (name: string): OddBlock => ({
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
    await expectSequential('the custom opcode 0x20', {
      vm: withEvmOptions({ customOpcodes: [{ opcode: 0x20 }] }),
    })
    await expectSequential('the custom precompile at 0x0101', {
      vm: withEvmOptions({
        customPrecompiles: [{ address: new Address(new Uint8Array(20).fill(1)) }],
      }),
    })
  })

  it.each([
    ['answering', 'the workerSetup module gives the custom precompile at 0x0000'],
    ['custom-crypto', 'custom crypto (keccak256), which not every Common of VM and block has'],
  ])('with less than the workers have of the module %s', async (name, why) => {
    const workerSetup = new URL(`../../support/worker-setups/${name}.ts`, import.meta.url)
    met.add(why)
    const surplus = await createParallelExecutor({ workers: 1, workerSetup, fallback: false })
    try {
      await expectSequentialOn(surplus, why, {})
    } finally {
      await surplus.close()
    }
  })
})

describe('a header that is not plain', () => {
  it('with a method of its own', async () => {
    await expectSequential('the header has methods of its own', {
      block: ({ common, header, transactions, uncleHeaders, withdrawals }) => {
        const own = new BlockHeader(header, { common, freeze: false })
        Object.assign(own, { getBlobGasPrice: () => 1n })
        return new Block(own, transactions, uncleHeaders, withdrawals, { common })
      },
    })
  })

  it('with a number that is no safe integer', async () => {
    await expectSequential('the block number is above 2^53', {
      plan: { ...threeCalls, number: 2n ** 53n },
    })
  })
})

describe('transactions that are not plain', () => {
  it('with a method of their own', async () => {
    await expectSequential('a transaction has methods of its own', {
      block: secondReplaced((fields, common) =>
        Object.assign(new LegacyTx(fields, { common, freeze: false }), {
          getIntrinsicGas: () => 50_000n,
        }),
      ),
    })
  })

  it('of a class of its own', async () => {
    class OwnTx extends LegacyTx {}
    await expectSequential('a transaction is of a class of its own', {
      block: secondReplaced((fields, common) => new OwnTx(fields, { common })),
    })
  })

  it('with chain rules that differ from one to the other', async () => {
    await expectSequential('transactions have different chain rules', {
      block: secondReplaced((fields, common) => {
        const params = { ...paramsTx, 1: { ...paramsTx[1], txGas: 21_001 } }
        return new LegacyTx(fields, { common, params })
      }),
    })
  })

  it('for another hardfork than the block', async () => {
    await expectSequential('a transaction has another hardfork than the block', {
      block: secondReplaced((fields) => new LegacyTx(fields, { common: chain('london') })),
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
      block: secondReplaced(({ v: _v, r: _r, s: _s, ...unsigned }, common) => {
        return new LegacyTx(unsigned, { common })
      }),
    })
  })

  it('that note what no transaction notes of itself', async () => {
    for (const cache of [{ senderPubKey: new Uint8Array(63) }, { dataFee: { value: -1n } }]) {
      await expectSequential('a transaction notes about itself what stock would not', {
        block: secondReplaced((fields, common) => {
          const tx = new LegacyTx(fields, { common })
          Object.assign(tx.cache, cache)
          if ('dataFee' in cache) tx.cache.dataFee = { value: -1n, hardfork: common.hardfork() }
          return tx
        }),
      })
    }
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
