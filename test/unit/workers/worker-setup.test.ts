// The workerSetup module: what it gives to workers, and what happens without it or with a wrong one.
// Authority on function-valued EVM options in parallel blocks.
// It must compare with stock wherever a block is run.
import { fileURLToPath } from 'node:url'
import { Common, Mainnet } from '@ethereumjs/common'
import type { EVMOpts } from '@ethereumjs/evm'
import { NobleBLS, NobleBN254 } from '@ethereumjs/evm'
import { createVM, type VM } from '@ethereumjs/vm'
import { afterAll, describe, expect, it } from 'vitest'
import { createParallelExecutor, type ParallelExecutor } from '../../../src/index.ts'
import { assembleHex } from '../../support/assembler.ts'
import { makeBlock, runBoth } from '../../support/hand-made-block.ts'
import { type Actor, actors, contracts, ether } from '../../support/random-world.ts'
import { buildStateTemplate } from '../../support/state-template.ts'
import { customPrecompiles, precompileAddress } from '../../support/worker-setups/answering.ts'
import { customCrypto } from '../../support/worker-setups/custom-crypto.ts'
import { customOpcode } from '../../support/worker-setups/custom-opcode.ts'

const { counter } = contracts
const opened: ParallelExecutor[] = []
afterAll(async () => {
  for (const executor of opened) await executor.close()
})

const module = (name: string): URL =>
  new URL(`../../support/worker-setups/${name}.ts`, import.meta.url)

async function open(workerSetup?: string | URL): Promise<ParallelExecutor> {
  const executor = await createParallelExecutor({
    workers: 2,
    scheduler: 'optimistic',
    fallback: false,
    ...(workerSetup === undefined ? {} : { workerSetup }),
  })
  opened.push(executor)
  return executor
}

interface Rules {
  readonly evmOpts?: EVMOpts
  readonly crypto?: typeof customCrypto
}

/** Three blocks that call the contract; returns the reports. */
async function compare(executor: ParallelExecutor, code: `0x${string}`, rules: Rules) {
  const common = (): Common =>
    new Common({ chain: Mainnet, hardfork: 'shanghai', customCrypto: rules.crypto ?? {} })
  const template = await buildStateTemplate(common(), {
    ...Object.fromEntries(actors.map(({ address }) => [address.toString(), { balance: ether }])),
    [counter.toString()]: { code, nonce: 1n },
  })
  const vm = async (): Promise<VM> => {
    const own = common()
    const { evmOpts } = rules
    return await createVM({
      common: own,
      stateManager: template.copy(own),
      ...(evmOpts === undefined ? {} : { evmOpts }),
    })
  }
  const sides = { stock: await vm(), ours: await vm() }
  const nonces = new Map<Actor, bigint>()
  const reports = []
  for (const number of [20n, 21n, 22n]) {
    const plan = {
      number,
      transactions: [0, 1, 2, 0].map((from) => ({ from: actors[from]!, to: counter })),
    }
    const run = await runBoth(executor, sides, makeBlock(common(), plan, nonces))
    expect(run.differences).toEqual([])
    reports.push(run.report!)
  }
  return reports
}

const precompileCode = assembleHex(
  [0, 'SLOAD', 0, 'MSTORE', 32, 0, 32, 0, precompileAddress.toString() as `0x${string}`],
  ['GAS', 'STATICCALL', 1, 'SSTORE', 0, 'MLOAD', 0, 'SSTORE'],
)
const opcodeCode =
  `${assembleHex([0, 'SLOAD'])}21${assembleHex(['ADD', 0, 'SSTORE']).slice(2)}` as const
/** Hashes 33 bytes that start with 1, and the caller's address. */
const keccakCode = assembleHex(
  ['CALLER', 1, 'MSTORE', 1, 0, 'MSTORE8', 33, 0, 'KECCAK256', 0, 'SLOAD', 'ADD', 0, 'SSTORE'],
  ['ADDRESS', 'EXTCODEHASH', 1, 'SSTORE', 32, 0, 'KECCAK256', 2, 'SSTORE'],
)

describe('with a setup module that gives the same to workers', () => {
  const cases: [string, string, `0x${string}`, Rules][] = [
    ['a custom precompile', 'answering', precompileCode, { evmOpts: { customPrecompiles } }],
    [
      'a custom opcode',
      'custom-opcode',
      opcodeCode,
      { evmOpts: { customOpcodes: [customOpcode] } },
    ],
    ['another hash', 'custom-crypto', keccakCode, { crypto: customCrypto }],
  ]
  for (const [what, name, code, rules] of cases) {
    it(`${what} runs in parallel and equal`, async () => {
      const executor = await open(module(name))
      for (const report of await compare(executor, code, rules)) {
        expect(report).toMatchObject({ mode: 'parallel', workers: 2, incidents: [] })
      }
    })
  }

  it('the module can be named by URL, by href, and by path', async () => {
    const url = module('answering')
    for (const name of [url, url.href, fileURLToPath(url)]) {
      const executor = await open(name)
      const [report] = await compare(executor, precompileCode, { evmOpts: { customPrecompiles } })
      expect(report?.mode).toBe('parallel')
    }
  })
})

describe('without a setup module', () => {
  let plain: ParallelExecutor | undefined
  let empty: ParallelExecutor | undefined
  const cases: [string, `0x${string}`, Rules, string][] = [
    [
      'a custom precompile',
      precompileCode,
      { evmOpts: { customPrecompiles } },
      `the custom precompile at ${precompileAddress}`,
    ],
    [
      'a custom opcode',
      opcodeCode,
      { evmOpts: { customOpcodes: [customOpcode] } },
      'the custom opcode 0x21',
    ],
    ['another hash', keccakCode, { crypto: customCrypto }, 'custom crypto (keccak256)'],
  ]
  for (const [what, code, rules, reason] of cases) {
    it(`${what} makes the block run sequentially, and the report says why`, async () => {
      plain ??= await open()
      for (const report of await compare(plain, code, rules)) {
        expect(report.mode).toBe('sequential')
        expect(report.why).toBe(
          `the VM has ${reason}, and no workerSetup module gives it to the workers`,
        )
      }
    })

    it(`${what} that the module does not give makes it run sequentially, too`, async () => {
      empty ??= await open(module('empty'))
      for (const report of await compare(empty, code, rules)) {
        expect(report.mode).toBe('sequential')
        expect(report.why).toBe(
          `the VM has ${reason}, which the workerSetup module does not give to the workers`,
        )
      }
    })
  }
  it('stock libraries that were named explicitly run in parallel', async () => {
    plain ??= await open()
    const rules = { evmOpts: { bn254: new NobleBN254(), bls: new NobleBLS() } }
    for (const report of await compare(plain, keccakCode, rules)) {
      expect(report.mode).toBe('parallel')
    }
  })
})

describe('a setup module that cannot be used', () => {
  const wrong: [string, RegExp][] = [
    ['there-is-none', /Cannot find module/],
    ['nothing', /default export is not a function/],
    ['no-function', /default export is not a function/],
    ['no-object', /returned no object/],
    ['misplaced', /returned "customPrecompiles"; the fields are evmOpts, customCrypto/],
    ['no-array', /customPrecompiles is no array/],
    ['throwing', /the setup throws on purpose/],
    ['throwing-on-import', /the module throws on purpose/],
    ['exiting', /exited/],
  ]
  for (const [name, why] of wrong) {
    it(`is refused by name: ${name}`, async () => {
      const error = await open(module(name)).then(
        () => undefined,
        (thrown: unknown) => thrown,
      )
      expect(error).toMatchObject({ name: 'ParallelError', code: 'WORKER_SETUP_FAILED' })
      expect((error as Error).message).toContain(module(name).href)
      expect((error as Error).message).toMatch(why)
      expect((error as Error).cause).toBeInstanceOf(Error)
    })
  }
})
