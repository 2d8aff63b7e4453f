// What a Hardhat user's configuration looks like with the installed plugin.
// The authority on how the pack test loads `parallel-evm/hardhat`.
// Must not import anything by path: only what the installed package brings along, and Hardhat.
import { defineConfig } from 'hardhat/config'
import parallelEvm from 'parallel-evm/hardhat'

export default defineConfig({ plugins: [parallelEvm] })
