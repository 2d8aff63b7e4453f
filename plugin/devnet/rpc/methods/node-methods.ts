// Methods about the node itself: net_*, web3_*, and the few eth_* of that kind.
// The authority on the name it goes by: clients look for Hardhat's, and then use what it can do.

import { keccak_256 } from '@noble/hashes/sha3.js'
import { clientVersion } from '../../client-version.ts'
import { bytesOf, hexOf, quantity } from '../../hex.ts'
import { type MethodTable, method } from '../method-table.ts'
import { data } from '../schemas.ts'

export const nodeMethods: MethodTable = {
  eth_chainId: method([], ({ core }) => quantity(core.options.chainId)),
  eth_coinbase: method([], ({ core }) => core.miner.settings.coinbase),
  eth_mining: method([], () => false),
  eth_hashrate: method([], () => '0x0'),
  eth_syncing: method([], () => false),
  eth_protocolVersion: method([], () => '0x46'),
  net_version: method([], ({ core }) => String(core.options.networkId)),
  net_listening: method([], () => true),
  net_peerCount: method([], () => '0x0'),
  web3_clientVersion: method([], () => clientVersion()),
  web3_sha3: method([data], (_, bytes) => hexOf(keccak_256(bytesOf(bytes)))),
}
