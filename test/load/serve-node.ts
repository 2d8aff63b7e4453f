// A node in a process of its own, for run-load.ts: prints its port, and ends when its input does.
// The authority on nothing.
import { createDevnet } from '../../plugin/devnet/create-devnet.ts'
import { serveDevnet } from '../../plugin/node/serve-devnet.ts'

const devnet = await createDevnet({
  accounts: { count: 100, balance: 10n ** 24n },
  mining: { auto: false },
  // Blocks of 2,000 transfers are less than half full, so that the base fee does not rise for ever.
  blockGasLimit: 100_000_000n,
  ...(process.env.WORKERS === undefined ? {} : { workers: Number(process.env.WORKERS) }),
})
const internal: string[] = []
const server = serveDevnet(devnet, {
  onInternalError: (error, method) => internal.push(`${method}: ${String(error)}`),
})
devnet.on('block', ({ number, transactions, buildMs, workers }) =>
  console.error(`block ${number}: ${transactions} in ${buildMs.toFixed(0)} ms, workers ${workers}`),
)
console.log((await server.listen()).port)
process.stdin.resume()
process.stdin.once('end', async () => {
  await server.close()
  await devnet.close()
  for (const line of internal) console.error(`internal error: ${line}`)
  process.exitCode = internal.length === 0 ? 0 : 1
})
