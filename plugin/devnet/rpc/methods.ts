// All methods by name. The authority on which there are; one more table is one more line here.

import type { MethodTable } from './method-table.ts'
import { callMethods } from './methods/call-methods.ts'
import { chainMethods } from './methods/chain-methods.ts'
import { evmMethods } from './methods/evm-methods.ts'
import { feeMethods } from './methods/fee-methods.ts'
import { hardhatMethods } from './methods/hardhat-methods.ts'
import { logMethods } from './methods/log-methods.ts'
import { nodeMethods } from './methods/node-methods.ts'
import { sendMethods } from './methods/send-methods.ts'
import { stateMethods } from './methods/state-methods.ts'
import { traceMethods } from './methods/trace-methods.ts'
import { txpoolMethods } from './methods/txpool-methods.ts'
import { walletMethods } from './methods/wallet-methods.ts'

export const METHODS: MethodTable = {
  ...nodeMethods,
  ...walletMethods,
  ...chainMethods,
  ...stateMethods,
  ...sendMethods,
  ...callMethods,
  ...feeMethods,
  ...logMethods,
  ...evmMethods,
  ...hardhatMethods,
  ...txpoolMethods,
  ...traceMethods,
}
