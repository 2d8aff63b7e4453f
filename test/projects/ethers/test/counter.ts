// What a user of ethers tests: reads, writes, events, reverts, fixtures, time, subscriptions.
// The authority on nothing; see the config.
// Must not know on which network it runs: that is what --network is for.
import { after, describe, it } from 'node:test'
import { expect } from 'chai'
import { network } from 'hardhat'

describe('Counter', async () => {
  const connection = await network.create()
  const { ethers, networkHelpers } = connection
  const deploy = async () => ({ counter: await ethers.deployContract('Counter') })

  after(() => connection.close())

  it('announces each increment', async () => {
    const { counter } = await networkHelpers.loadFixture(deploy)
    await expect(counter.inc()).to.emit(counter, 'Increment').withArgs(1n)
    expect(await counter.x()).to.equal(1n)
  })

  it('adds up to the sum of its events', async () => {
    const { counter } = await networkHelpers.loadFixture(deploy)
    const start = await ethers.provider.getBlockNumber()
    for (let by = 1n; by <= 10n; by++) await counter.incBy(by)
    const events = await counter.queryFilter(counter.filters.Increment(), start, 'latest')
    let sum = 0n
    for (const event of events) if ('args' in event) sum += event.args.by
    expect(await counter.x()).to.equal(sum)
  })

  it('refuses with reasons, custom errors, panics and nothing at all', async () => {
    const { counter } = await networkHelpers.loadFixture(deploy)
    await expect(counter.incBy(0n)).to.be.revertedWith('incBy: increment should be positive')
    await expect(counter.incBy(2_000n))
      .to.be.revertedWithCustomError(counter, 'TooLarge')
      .withArgs(2_000n, 1_000n)
    await expect(counter.dec()).to.be.revertedWithPanic(0x11)
    await expect(counter.fail()).to.be.revertedWithoutReason(ethers)
  })

  it('changes balances', async () => {
    const [from, to] = await ethers.getSigners()
    await expect(from.sendTransaction({ to, value: 5n })).to.changeEtherBalances(
      ethers,
      [from, to],
      [-5n, 5n],
    )
  })

  it('goes back to a snapshot, and on in time', async () => {
    const { counter } = await networkHelpers.loadFixture(deploy)
    const snapshot = await networkHelpers.takeSnapshot()
    await counter.inc()
    await networkHelpers.time.increase(3_600)
    await networkHelpers.mine(100)
    await snapshot.restore()
    expect(await counter.x()).to.equal(0n)
  })

  it('mines many transactions in one block', async () => {
    const { counter } = await networkHelpers.loadFixture(deploy)
    await ethers.provider.send('evm_setAutomine', [false])
    const sent = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        counter.inc({ gasLimit: 100_000n, nonce: index + 1 }),
      ),
    )
    await ethers.provider.send('evm_mine', [])
    await ethers.provider.send('evm_setAutomine', [true])
    const receipts = await Promise.all(sent.map((transaction) => transaction.wait()))
    expect(new Set(receipts.map((receipt) => receipt?.blockNumber)).size).to.equal(1)
    expect(await counter.x()).to.equal(20n)
  })

  it('lets an account be impersonated', async () => {
    const { counter } = await networkHelpers.loadFixture(deploy)
    const address = '0x00000000000000000000000000000000000000aa'
    await networkHelpers.setBalance(address, 10n ** 18n)
    const signer = await ethers.getImpersonatedSigner(address)
    await signer.sendTransaction(await counter.inc.populateTransaction())
    expect(await counter.x()).to.equal(1n)
  })

  it('is listened to as it counts', async () => {
    const { counter } = await networkHelpers.loadFixture(deploy)
    const seen = Promise.withResolvers<bigint>()
    await counter.on(counter.filters.Increment(), (event) => seen.resolve(event.args.by))
    await counter.incBy(7n)
    expect(await seen.promise).to.equal(7n)
    await counter.removeAllListeners()
  })
})
