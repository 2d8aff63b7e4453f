// Malformed requests: each gets a proper error, and the devnet goes on. run-rpc-fuzz.ts sends 20,000.
import { expect, it } from 'vitest'
import { fuzzDevnet } from './fuzz-devnet.ts'
import { startDevnet } from './test-devnet.ts'

it('answers malformed requests with errors of JSON-RPC, and goes on', async () => {
  const seed = Date.now() % 2 ** 31
  await using devnet = await startDevnet()
  const { faults, refused } = await fuzzDevnet(devnet.connection, { seed, count: 600 })
  expect(faults, `seed ${seed}`).toEqual([])
  expect(refused).toBeGreaterThan(300)
  await devnet.ask('evm_mine')
})
