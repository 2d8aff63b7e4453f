// Mines many blocks of few transactions, with logs, and says what memory they take and what going back and
// searching costs: node --expose-gc test/plugin/devnet/run-long-chain.ts [blocks]
// Ends with 1 where memory grows faster than blocks as bytes explain. Must not keep anything of a block.
import { hex, startDevnet } from './test-devnet.ts'

const [blocks = 100_000] = process.argv.slice(2).map(Number)
const PARTS = 10
/** Bytes that a block of two transactions may add for good: itself, its names, the state it changed. */
const BYTES_PER_BLOCK = 8_192
const CONTRACT = `0x${'22'.repeat(20)}`
/** Logs an empty event with the topics 1 and its caller, and counts in slot 0. */
const LOGGER = '0x3360015f5fa25f546001015f5500'

await using devnet = await startDevnet({ mining: { auto: false } })
await devnet.ask('hardhat_setCode', CONTRACT, LOGGER)
const used: number[] = []
for (let part = 0; part < PARTS; part++) {
  const before = process.cpuUsage()
  const count = Math.ceil(blocks / PARTS)
  for (let block = 0; block < count; block++) {
    const [one, other] = [devnet.accounts[block % 20], devnet.accounts[(block + 1) % 20]]
    await devnet.ask('eth_sendTransaction', { from: one, to: CONTRACT, gas: hex(100_000) })
    await devnet.ask('eth_sendTransaction', {
      from: other,
      to: one,
      value: '0x1',
      gas: hex(21_000),
    })
    await devnet.ask('evm_mine')
  }
  const { user, system } = process.cpuUsage(before)
  const ms = (user + system) / 1_000 / count
  used.push(memory())
  console.log(
    `${(part + 1) * count} blocks: ${ms.toFixed(2)} ms of processor time each, ${mib(memory())} MiB`,
  )
}
// The first part fills caches, which are bounded by themselves.
const growth = ((used.at(-1) as number) - (used[0] as number)) / (blocks * (1 - 1 / PARTS))
console.log(`${growth.toFixed(0)} bytes a block; ${BYTES_PER_BLOCK} are allowed`)
process.exitCode = growth <= BYTES_PER_BLOCK ? 0 : 1

await timed('a snapshot and ten blocks taken back', async () => {
  const id = await devnet.ask('evm_snapshot')
  await devnet.ask('hardhat_mine', '0xa')
  await devnet.ask('evm_revert', id)
})
await timed('a million blocks mined at once, and taken back', async () => {
  const id = await devnet.ask('evm_snapshot')
  await devnet.ask('hardhat_mine', '0xf4240')
  await devnet.ask('evm_revert', id)
})
await timed('logs that are nowhere, over all blocks', () =>
  devnet.ask('eth_getLogs', { fromBlock: '0x0', address: `0x${'99'.repeat(20)}` }),
)
await timed('logs of the last hundred blocks', () =>
  devnet.ask('eth_getLogs', { fromBlock: hex(Math.max(0, blocks - 100)), address: CONTRACT }),
)

async function timed(name: string, work: () => Promise<unknown>): Promise<void> {
  const start = performance.now()
  await work()
  console.log(`${name}: ${(performance.now() - start).toFixed(1)} ms`)
}

/** After collection, where the flag allows it; shared memory counts too. */
function memory(): number {
  globalThis.gc?.()
  const { heapUsed, external, arrayBuffers } = process.memoryUsage()
  return heapUsed + Math.max(external, arrayBuffers)
}

function mib(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(0)
}
