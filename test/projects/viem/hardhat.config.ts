// A project that tests with viem on the network `parallel`, which the plugin adds.
// The authority on nothing; it is an example, and the pack test runs it against the packed package.
// Must not import anything by path: only what a user has installed.
import { createRequire } from 'node:module'
import networkHelpers from '@nomicfoundation/hardhat-network-helpers'
import nodeTestRunner from '@nomicfoundation/hardhat-node-test-runner'
import viem from '@nomicfoundation/hardhat-viem'
import viemAssertions from '@nomicfoundation/hardhat-viem-assertions'
import { defineConfig } from 'hardhat/config'
import parallelEvm from 'parallel-evm/hardhat'

const require = createRequire(import.meta.url)

export default defineConfig({
  plugins: [nodeTestRunner, viem, parallelEvm, viemAssertions, networkHelpers],
  // A compiler that is installed, so that the example works offline; leave `path` out to download one.
  solidity: { version: '0.8.37', path: require.resolve('solc/soljson.js') },
  networks: {
    // `parallel` is there without being configured; this is how to set anything.
    parallel: { type: 'edr-simulated', parallel: { workers: 2 } },
    interval: {
      type: 'edr-simulated',
      parallel: true,
      mining: { auto: false, interval: 1_000 },
    },
  },
})
