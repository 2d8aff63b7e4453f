// Our network beside Hardhat's own: both get the same requests, and have to answer alike but for what is
// different on purpose: roots and what depends on them, made-up signatures, and the words for parameters
// of another form, which only have to be refused by both.
import { createHardhatRuntimeEnvironment } from 'hardhat/hre'
import type { EthereumProvider } from 'hardhat/types/providers'
import { describe, expect, it } from 'vitest'
import plugin from '../../../plugin/index.ts'
import { type Named, type Param, SCRIPTS, type Step } from './hardhat-scripts.ts'

type Answer = { readonly result: unknown } | { readonly code: unknown; readonly message: unknown }

const HASH = /^0x[0-9a-f]{64}$/
const INVALID_PARAMS = -32602
/** Where the two differ on purpose, wherever they stand. */
const OWN_TO_EACH = new Set([
  'hash',
  'parentHash',
  'blockHash',
  'latestBlockHash',
  'transactionHash',
  'stateRoot',
  'receiptsRoot',
  'transactionsRoot',
  'logsBloom',
  'size',
  'timestamp',
  'blockTimestamp',
  'mixHash',
  'parentBeaconBlockRoot',
  'extraData',
  'instanceId',
  'clientVersion',
  'accountProof',
  'r',
  's',
  'v',
])
/** Fields that only ours has: what newer clients read, and the chain of old transactions. */
const OURS_ONLY = new Set(['yParity', 'chainId'])

async function createNetworks() {
  const network = { type: 'edr-simulated', chainType: 'l1', initialDate: '2030-01-01' }
  const hre = await createHardhatRuntimeEnvironment({
    plugins: [plugin],
    networks: { own: network, ours: { ...network, parallel: true } },
  } as never)
  const [own, ours] = [await hre.network.create('own'), await hre.network.create('ours')]
  return {
    own: own.provider,
    ours: ours.provider,
    async [Symbol.asyncDispose]() {
      await own.close()
      await ours.close()
    },
  }
}

describe('answers as Hardhat’s own network does:', () => {
  it.each(Object.entries(SCRIPTS))(
    '%s',
    async (_name, steps) => {
      await using networks = await createNetworks()
      const [ownNamed, oursNamed]: Record<string, unknown>[] = [{}, {}]
      for (const step of steps) {
        const own = await ask(networks.own, step, ownNamed as Named)
        const ours = await ask(networks.ours, step, oursNamed as Named)
        if (step.as !== undefined) {
          Object.assign(ownNamed as object, { [step.as]: 'result' in own ? own.result : undefined })
          Object.assign(oursNamed as object, {
            [step.as]: 'result' in ours ? ours.result : undefined,
          })
        }
        const name = `${step.method} ${JSON.stringify(step.params)}`
        if (step.unlike !== undefined) continue
        expect({ [name]: comparable(ours) }).toEqual({ [name]: comparable(own) })
      }
    },
    60_000,
  )
})

async function ask(provider: EthereumProvider, step: Step, named: Named): Promise<Answer> {
  const params = step.params.map((param) => given(param, named))
  try {
    return { result: await provider.request({ method: step.method, params }) }
  } catch (error) {
    const { code, message, data } = error as { code: unknown; message: string; data?: unknown }
    // Hardhat's words come from its parser.
    if (code === INVALID_PARAMS && /^Invalid params| at line \d+ column \d+/.test(message)) {
      return { code, message: 'another form' }
    }
    // In other cases Hardhat hands out the request.
    return code === 3 ? ({ code, message, data } as Answer) : { code, message }
  }
}

function given(param: Param, named: Named): unknown {
  return typeof param === 'function' ? param(named) : param
}

function comparable(value: unknown, name?: string): unknown {
  if (name !== undefined && OWN_TO_EACH.has(name) && typeof value === 'string') return 'own to each'
  // A list of hashes is one of blocks, or of made-up signatures.
  if (name === 'result' && typeof value === 'string' && HASH.test(value)) return 'own to each'
  if (Array.isArray(value)) return value.map((item) => comparable(item, name))
  if (typeof value !== 'object' || value === null) return value
  const shown: Record<string, unknown> = {}
  for (const [key, part] of Object.entries(value)) {
    if (!OURS_ONLY.has(key)) shown[key] = comparable(part, key)
  }
  return shown
}
