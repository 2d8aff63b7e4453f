// Sends 20,000 malformed requests to a devnet: node test/plugin/devnet/run-rpc-fuzz.ts [count] [seed]
// The authority on nothing; ends with 1 if one of them was not answered as it must be.
import { fuzzDevnet } from './fuzz-devnet.ts'
import { startDevnet } from './test-devnet.ts'

const [count = 20_000, seed = Date.now() % 2 ** 31] = process.argv.slice(2).map(Number)
console.log(`${count} requests, seed ${seed}`)
await using devnet = await startDevnet()
const { refused, faults } = await fuzzDevnet(devnet.connection, { seed, count })
for (const fault of faults.slice(0, 20)) console.log(fault)
console.log(`${refused} were refused, ${faults.length} were answered wrongly`)
console.log(`The devnet is at block ${await devnet.text('eth_blockNumber')}`)
process.exitCode = faults.length === 0 ? 0 : 1
