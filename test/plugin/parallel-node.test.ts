// The node as users start it, through Hardhat's command line, and as viem meets it.
// The authority on its exit codes, and on what is there again when it is started again.
// Must end every process that it starts.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createPublicClient, createWalletClient, http, parseEther, webSocket } from 'viem'
import { mnemonicToAccount } from 'viem/accounts'
import { hardhat as chain } from 'viem/chains'
import { afterEach, describe, expect, it } from 'vitest'

const repository = fileURLToPath(new URL('../../', import.meta.url))
const hardhat = join(repository, 'node_modules', 'hardhat', 'dist', 'src', 'cli.js')
const environment = { ...process.env, CI: 'true', HARDHAT_DISABLE_TELEMETRY_PROMPT: 'true' }
const account = mnemonicToAccount('test test test test test test test test test test test junk')

interface Node {
  readonly child: ChildProcess
  readonly output: () => string
  /** Resolves with the code or signal that it ended with. */
  readonly ended: Promise<number | string | null>
}

const nodes: Node[] = []
const folders: string[] = []

afterEach(async () => {
  for (const { child, ended } of nodes.splice(0)) {
    child.kill('SIGKILL')
    await ended
  }
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true })
})

function startNode(...given: string[]): Node {
  const child = spawn(process.execPath, [hardhat, 'parallel-node', '--port', '0', ...given], {
    cwd: repository,
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let text = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (part: string) => {
      text += part
      child.emit('printed')
    })
  }
  const ended = once(child, 'close').then(([code, signal]) => code ?? signal)
  const node: Node = { child, ended, output: () => text }
  nodes.push(node)
  return node
}

/** Resolves with what the pattern found; fails where the node ends without printing it. */
async function printed({ child, ended, output }: Node, pattern: RegExp): Promise<string> {
  let isEnded = false
  ended.then(() => {
    isEnded = true
    child.emit('printed')
  })
  for (;;) {
    const found = pattern.exec(output())
    if (found) return found[0]
    if (isEnded) throw new Error(`it ended without printing ${pattern}: ${output()}`)
    await once(child, 'printed')
  }
}

const urlOf = (node: Node) => printed(node, /http:\/\/127\.0\.0\.1:\d+/)

describe('npx hardhat parallel-node', () => {
  it('serves viem over HTTP and WebSocket, prints blocks, and ends with 0 when told to', async () => {
    const node = startNode('--chain-id', '31337', '--accounts', '2')
    const url = await urlOf(node)
    const overHttp = createPublicClient({ chain, transport: http(url) })
    const overWebSocket = createPublicClient({
      chain,
      transport: webSocket(url.replace('http', 'ws'), { reconnect: false }),
    })
    const wallet = createWalletClient({ account, chain, transport: http(url) })

    const block = Promise.withResolvers<bigint>()
    const unwatch = overWebSocket.watchBlockNumber({ onBlockNumber: block.resolve })
    // Answered after the subscription, which was asked for first.
    await overWebSocket.getChainId()
    const hash = await wallet.sendTransaction({ to: account.address, value: parseEther('1') })
    const receipt = await overHttp.waitForTransactionReceipt({ hash })
    expect(receipt.status).toBe('success')
    expect(await block.promise).toBe(1n)
    await printed(node, /Block 1 0x[0-9a-f]{8}, 1 transaction, 21,000 gas, [\d.]+ ms/)
    unwatch()

    node.child.kill('SIGTERM')
    expect(await node.ended).toBe(0)
    expect(node.output()).toContain('Account #1: ')
    expect(node.output()).not.toContain('Account #2: ')
    expect(node.output()).toMatch(/Closing\n$/)
  })

  it('mines at intervals, or not until it is asked to', async () => {
    const [timed, manual] = [startNode('--block-time', '50'), startNode('--no-mining', '--quiet')]
    await printed(timed, /Block 2 0x/)
    const url = await urlOf(manual)
    const client = createPublicClient({ chain, transport: http(url) })
    const wallet = createWalletClient({ account, chain, transport: http(url) })
    await wallet.sendTransaction({ to: account.address, value: 1n })
    expect(await client.getBlockNumber()).toBe(0n)
    await client.request({ method: 'evm_mine' as never })
    expect(await client.getBlockNumber({ cacheTime: 0 })).toBe(1n)
    manual.child.kill('SIGINT')
    expect(await manual.ended).toBe(0)
    expect(manual.output()).not.toContain('Block 1 ')
  })

  it('has its chain again where it is kept in a directory', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'parallel-node-'))
    folders.push(folder)
    const first = startNode('--data-dir', folder)
    const wallet = createWalletClient({ account, chain, transport: http(await urlOf(first)) })
    const hash = await wallet.sendTransaction({ to: `0x${'0a'.repeat(20)}`, value: 17n })
    await printed(first, /Block 1 0x/)
    first.child.kill('SIGTERM')
    expect(await first.ended).toBe(0)

    const second = startNode('--data-dir', folder)
    const client = createPublicClient({ chain, transport: http(await urlOf(second)) })
    expect(await client.getBalance({ address: `0x${'0a'.repeat(20)}` })).toBe(17n)
    expect(await client.getTransactionReceipt({ hash })).toMatchObject({ blockNumber: 1n })
  })

  it('says in one line what is wrong with an option or a network, and ends with 1', async () => {
    const wrong = startNode('--order', 'best')
    expect(await wrong.ended).toBe(1)
    expect(wrong.output()).toContain('--order must be one of priority, fifo, not "best"')
    const foreign = startNode('--network', 'default')
    expect(await foreign.ended).toBe(1)
    expect(foreign.output()).toContain('--network default: it is not a network of parallel-evm')
  })
})
