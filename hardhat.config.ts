// The repository's own Hardhat project: the plugin from its sources, and contracts/ with a compiler
// that is already installed, so that every command works offline and without a build.
// Must not be published: users write their own and import parallel-evm/hardhat.
import { createRequire } from 'node:module'
import { defineConfig } from 'hardhat/config'

import parallelEvm from './plugin/index.ts'

const require = createRequire(import.meta.url)

export default defineConfig({
  plugins: [parallelEvm],
  solidity: {
    version: '0.8.37',
    path: require.resolve('solc/soljson.js'),
    settings: { evmVersion: 'prague', optimizer: { enabled: true, runs: 200 } },
  },
})
