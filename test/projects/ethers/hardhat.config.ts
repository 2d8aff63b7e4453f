// A project that tests with ethers and chai on the network `parallel`, which the plugin adds.
// The authority on nothing; it is an example, and the pack test runs it against the packed package.
// Must not import anything by path: only what a user has installed.
import { createRequire } from 'node:module'
import ethers from '@nomicfoundation/hardhat-ethers'
import chaiMatchers from '@nomicfoundation/hardhat-ethers-chai-matchers'
import networkHelpers from '@nomicfoundation/hardhat-network-helpers'
import nodeTestRunner from '@nomicfoundation/hardhat-node-test-runner'
import { defineConfig } from 'hardhat/config'
import parallelEvm from 'parallel-evm/hardhat'

const require = createRequire(import.meta.url)

export default defineConfig({
  plugins: [parallelEvm, nodeTestRunner, ethers, chaiMatchers, networkHelpers],
  // A compiler that is installed, so that the example works offline; leave `path` out to download one.
  solidity: { version: '0.8.37', path: require.resolve('solc/soljson.js') },
})
