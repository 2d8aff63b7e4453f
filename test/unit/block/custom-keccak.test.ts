// A hash function of the user's in the place of keccak-256, in the whole chain or in parts of it.
// Authority on that batches of our own stand aside where they would hash with another function.
// It must not use keccak-256 under another name: then nothing would show.
import { Common, Mainnet } from '@ethereumjs/common'
import { createMPT } from '@ethereumjs/mpt'
import { Caches, MerkleStateManager } from '@ethereumjs/statemanager'
import { hexToBytes } from '@ethereumjs/util'
import { createVM, type VM } from '@ethereumjs/vm'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createParallelExecutor, type ParallelExecutor } from '../../../src/index.ts'
import { deployer } from '../../support/assembler.ts'
import { makeBlock, richActors, runBoth } from '../../support/hand-made-block.ts'
import { actors, contracts } from '../../support/random-world.ts'
import { counterCode, loggingCounterCode } from '../../support/small-contracts.ts'
import { loadAccounts } from '../../support/state-template.ts'
import { sha3 } from '../../support/worker-setups/sha3-keccak.ts'

let executor: ParallelExecutor
beforeAll(async () => {
  const workerSetup = new URL('../../support/worker-setups/sha3-keccak.ts', import.meta.url)
  executor = await createParallelExecutor({
    workers: 2,
    scheduler: 'graph',
    fallback: false,
    workerSetup,
  })
})
afterAll(() => executor?.close())

const newCommon = (): Common =>
  new Common({ chain: Mainnet, hardfork: 'cancun', customCrypto: { keccak256: sha3 } })

async function newVm(): Promise<VM> {
  const common = newCommon()
  const trie = await createMPT({ useKeyHashing: true })
  const stateManager = new MerkleStateManager({ common, caches: new Caches(), trie })
  const counter = { code: loggingCounterCode, nonce: 1n }
  await loadAccounts(stateManager, { ...richActors, [contracts.counter.toString()]: counter })
  return createVM({ common, stateManager })
}

describe('another hash function than keccak-256', () => {
  // A trie with such chain rules is not to be had: stock's own breaks with "Stack underflow".
  it('of the chain rules, and not of the trie, gives the roots that stock gives', async () => {
    const block = makeBlock(newCommon(), {
      transactions: actors.slice(0, 6).map((from, index) => ({
        from,
        ...(index % 2 === 0
          ? { to: contracts.counter }
          : { data: deployer(hexToBytes(counterCode), []) }),
      })),
    })
    const sides = { stock: await newVm(), ours: await newVm() }
    const run = await runBoth(executor, sides, block)
    expect(run.differences).toEqual([])
    expect(run.report?.mode).toBe('parallel')
  })
})
