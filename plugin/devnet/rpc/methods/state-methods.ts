// eth_* methods about accounts: balance, nonce, code, storage, proofs.
// The authority on their parameters; which state is meant is told by state-of-block.ts.

import { createAddressFromString } from '@ethereumjs/util'
import { z } from 'zod'
import { bytesOf, hexOf, quantity, word } from '../../hex.ts'
import { type MethodTable, method } from '../method-table.ts'
import { address, blockId, slot } from '../schemas.ts'
import { stateOfBlock } from '../state-of-block.ts'
import { nextNonce } from '../transaction-data.ts'

const block = blockId.nullish()

export const stateMethods: MethodTable = {
  eth_getBalance: method([address, block], async ({ core }, of, id) => {
    const { state } = await stateOfBlock(core, id)
    const account = await state.getAccount(createAddressFromString(of))
    return quantity(account?.balance ?? 0n)
  }),

  eth_getTransactionCount: method([address, block], async ({ core }, of, id) => {
    if (id === 'pending') return quantity(await nextNonce(core, of))
    const { state } = await stateOfBlock(core, id)
    const account = await state.getAccount(createAddressFromString(of))
    return quantity(account?.nonce ?? 0n)
  }),

  eth_getCode: method([address, block], async ({ core }, of, id) => {
    const { state } = await stateOfBlock(core, id)
    return hexOf(await state.getCode(createAddressFromString(of)))
  }),

  eth_getStorageAt: method([address, slot, block], async ({ core }, of, at, id) => {
    const { state } = await stateOfBlock(core, id)
    const value = await state.getStorage(createAddressFromString(of), bytesOf(word(at)))
    return word(BigInt(value.length === 0 ? 0 : hexOf(value)))
  }),

  eth_getProof: method(
    [address, z.array(slot).max(1_024), block],
    async ({ core }, of, slots, id) => {
      const { state } = await stateOfBlock(core, id)
      const keys = slots.map((at) => bytesOf(word(at)))
      return state.getProof(createAddressFromString(of), keys)
    },
  ),
}
