// What a user of viem tests: reads, writes, events, reverts, fixtures, time, subscriptions.
// The authority on nothing; see the config.
// Must not know on which network it runs: that is what --network is for.
import assert from 'node:assert/strict'
import { after, describe, it } from 'node:test'
import { network } from 'hardhat'

describe('Counter', async () => {
  const connection = await network.create()
  const { viem, networkHelpers } = connection
  const publicClient = await viem.getPublicClient()
  const deploy = async () => ({ counter: await viem.deployContract('Counter') })

  after(() => connection.close())

  it('announces each increment', async () => {
    const { counter } = await networkHelpers.loadFixture(deploy)
    await viem.assertions.emitWithArgs(counter.write.inc(), counter, 'Increment', [1n])
    assert.equal(await counter.read.x(), 1n)
  })

  it('adds up to the sum of its events', async () => {
    const { counter } = await networkHelpers.loadFixture(deploy)
    const fromBlock = await publicClient.getBlockNumber()
    for (let by = 1n; by <= 10n; by++) await counter.write.incBy([by])
    const events = await publicClient.getContractEvents({
      address: counter.address,
      abi: counter.abi,
      eventName: 'Increment',
      fromBlock,
      strict: true,
    })
    assert.equal(
      events.reduce((sum, event) => sum + event.args.by, 0n),
      await counter.read.x(),
    )
  })

  it('refuses with reasons, custom errors, panics and nothing at all', async () => {
    const { counter } = await networkHelpers.loadFixture(deploy)
    await viem.assertions.revertWith(
      counter.write.incBy([0n]),
      'incBy: increment should be positive',
    )
    await viem.assertions.revertWithCustomErrorWithArgs(
      counter.write.incBy([2_000n]),
      counter,
      'TooLarge',
      [2_000n, 1_000n],
    )
    await assert.rejects(counter.write.dec(), /panic/i)
    await viem.assertions.revert(counter.read.fail())
  })

  it('changes balances', async () => {
    const [from, to] = await viem.getWalletClients()
    assert(from !== undefined && to !== undefined)
    await viem.assertions.balancesHaveChanged(
      from.sendTransaction({ to: to.account.address, value: 5n }),
      [{ address: to.account.address, amount: 5n }],
    )
  })

  it('goes back to a snapshot, and on in time', async () => {
    const { counter } = await networkHelpers.loadFixture(deploy)
    const snapshot = await networkHelpers.takeSnapshot()
    await counter.write.inc()
    await networkHelpers.time.increase(3_600)
    await networkHelpers.mine(100)
    await snapshot.restore()
    assert.equal(await counter.read.x(), 0n)
  })

  it('mines many transactions in one block', async () => {
    const { counter } = await networkHelpers.loadFixture(deploy)
    const testClient = await viem.getTestClient()
    await testClient.setAutomine(false)
    const hashes = await Promise.all(
      Array.from({ length: 20 }, () => counter.write.inc({ gas: 100_000n })),
    )
    await testClient.mine({ blocks: 1 })
    await testClient.setAutomine(true)
    const receipts = await Promise.all(
      hashes.map((hash) => publicClient.getTransactionReceipt({ hash })),
    )
    assert.equal(new Set(receipts.map(({ blockNumber }) => blockNumber)).size, 1)
    assert.equal(await counter.read.x(), 20n)
  })

  it('is watched as it counts', async () => {
    const { counter } = await networkHelpers.loadFixture(deploy)
    const seen = Promise.withResolvers<bigint | undefined>()
    const stop = publicClient.watchContractEvent({
      address: counter.address,
      abi: counter.abi,
      eventName: 'Increment',
      pollingInterval: 50,
      onLogs: (logs) => seen.resolve(logs[0]?.args.by),
      onError: seen.reject,
    })
    // A filter is made when the watching begins, which is not now.
    await new Promise((resolve) => setTimeout(resolve, 200))
    await counter.write.incBy([7n])
    assert.equal(await seen.promise, 7n)
    stop()
  })
})
