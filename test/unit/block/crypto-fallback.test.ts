// A machine for which the addon has no binary: here the package is told to look for it elsewhere, and
// workers, which inherit the environment, do so too. Authority on blocks without the addon.
// It must not be one file with tests that want the addon: each thread chooses once.
import { Block } from '@ethereumjs/block'
import { createTxFromRLP } from '@ethereumjs/tx'
import { expect, it } from 'vitest'
import {
  fillHeader,
  makeBlock,
  makeWorld,
  runBoth,
  sidesOf,
} from '../../support/hand-made-block.ts'
import { strictExecutor } from '../../support/strict-executor.ts'
import { plainAccounts, plainBlock } from './support/plain-block.ts'

process.env.SECP256K1_PREBUILD = '/nowhere'

it('recovers senders in WebAssembly, equally, and says so', async () => {
  const world = await makeWorld({ accounts: plainAccounts })
  await using executor = await strictExecutor({ scheduler: 'graph' })
  const block = makeBlock(world.common, plainBlock)
  const transactions = block.transactions.map((tx) =>
    createTxFromRLP(tx.serialize(), { common: tx.common }),
  )
  const arrived = new Block(block.header, transactions, [], block.withdrawals, {
    common: world.common,
  })
  // Ours first: stock would leave the keys with the transactions.
  const ours = await executor.runBlock(await world.vm(), {
    ...fillHeader,
    block: arrived,
  })
  expect(ours.parallel).toMatchObject({ mode: 'parallel', crypto: 'wasm', incidents: [] })
  const keys = arrived.transactions.map((tx) => tx.cache.senderPubKey)
  expect(keys).toEqual(plainBlock.transactions.map(({ from }) => from.publicKey))
  expect((await runBoth(executor, await sidesOf(world), block)).differences).toEqual([])
})
