// A chain in a directory: what is there when it is opened again, after a good end and after a bad one.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { startDevnet } from './test-devnet.ts'

const NOBODY = `0x${'77'.repeat(20)}`
let dataDir = ''

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'devnet-'))
})
afterEach(async () => {
  await rm(dataDir, { recursive: true, force: true })
})

it('has its blocks, receipts, logs, ranges and state again', async () => {
  const before: Record<string, unknown> = {}
  let hash: unknown
  const read = async (devnet: Awaited<ReturnType<typeof startDevnet>>) => ({
    head: await devnet.ask('eth_getBlockByNumber', 'latest', true),
    first: await devnet.ask('eth_getBlockByNumber', '0x1', true),
    inRange: await devnet.ask('eth_getBlockByNumber', '0x20', false),
    receipt: await devnet.ask('eth_getTransactionReceipt', hash),
    logs: await devnet.ask('eth_getLogs', { fromBlock: '0x0' }),
    balance: await devnet.ask('eth_getBalance', NOBODY, 'latest'),
  })
  {
    await using devnet = await startDevnet({ dataDir })
    const [from] = devnet.accounts
    await devnet.ask('hardhat_setCode', NOBODY, '0x5f5fa000')
    hash = await devnet.ask('eth_sendTransaction', { from, to: NOBODY, value: '0x5' })
    await devnet.ask('hardhat_mine', '0x64')
    await devnet.ask('hardhat_setBalance', NOBODY, '0x63')
    Object.assign(before, await read(devnet))
  }
  await using devnet = await startDevnet({ dataDir })
  expect(await read(devnet)).toEqual(before)
  expect(before.logs).toHaveLength(1)
  expect(before.balance).toBe('0x63')
  await devnet.ask('evm_mine')
  expect(await devnet.object('eth_getBlockByNumber', 'latest', false)).toMatchObject({
    parentHash: (before.head as { hash: string }).hash,
  })
})

it('is not opened as another chain', async () => {
  await (await startDevnet({ dataDir }))[Symbol.asyncDispose]()
  await expect(startDevnet({ dataDir, chainId: 5 })).rejects.toThrow(/has chainId 31337, and not 5/)
  await (await startDevnet({ dataDir }))[Symbol.asyncDispose]()
})

it('is not opened twice at once, by this process or by another one', async () => {
  {
    await using _ = await startDevnet({ dataDir })
    await expect(startDevnet({ dataDir })).rejects.toThrow(`in use by process ${process.pid}`)
  }
  const writer = spawn(process.execPath, [
    new URL('./endless-writer.ts', import.meta.url).pathname,
    dataDir,
  ])
  const ended = once(writer, 'close')
  await once(writer.stdout, 'data')
  await expect(startDevnet({ dataDir })).rejects.toThrow(`in use by process ${writer.pid}`)
  writer.kill('SIGKILL')
  await ended
  await (await startDevnet({ dataDir }))[Symbol.asyncDispose]()
})

it('is opened where a process of the same number had it in another life of the machine', async () => {
  const owner = join(dataDir, 'chain', 'owner')
  await mkdir(join(dataDir, 'chain'))
  for (const text of [`${process.pid} 1\n`, `${process.ppid} 1\n`, '']) {
    await writeFile(owner, text)
    if (text.startsWith(`${process.ppid}`) && process.platform !== 'linux') continue
    await (await startDevnet({ dataDir }))[Symbol.asyncDispose]()
    expect(existsSync(owner)).toBe(false)
  }
})

it('has every block that was announced before the process was killed', async () => {
  const writer = spawn(
    process.execPath,
    [new URL('./endless-writer.ts', import.meta.url).pathname, dataDir],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  )
  let announced: { number: string; hash: string } | undefined
  let lines = 0
  for await (const line of createInterface({ input: writer.stdout })) {
    announced = JSON.parse(line)
    if (++lines === 25) writer.kill('SIGKILL')
  }
  await using devnet = await startDevnet({ dataDir })
  expect(announced).toBeDefined()
  expect(BigInt(await devnet.text('eth_blockNumber'))).toBeGreaterThanOrEqual(
    BigInt(announced?.number ?? 0),
  )
  expect(await devnet.object('eth_getBlockByNumber', announced?.number, false)).toMatchObject({
    hash: announced?.hash,
  })
  const balance = BigInt(await devnet.text('eth_getBalance', NOBODY, 'latest'))
  expect(balance).toBeGreaterThanOrEqual(25n)
  await devnet.ask('eth_sendTransaction', { from: devnet.accounts[0], to: NOBODY, value: '0x1' })
  expect(await devnet.ask('eth_getBalance', NOBODY, 'latest')).toBe(
    `0x${(balance + 1n).toString(16)}`,
  )
})
