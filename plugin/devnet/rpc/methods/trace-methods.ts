// Methods that look closer at executions: debug_trace*, eth_createAccessList, eth_simulateV1.
// The authority on which block and state each of them runs on; what they answer is tracing/'s.

import { z } from 'zod'
import { serializeTransaction } from '../../../../src/index.ts'
import type { SealedBlock } from '../../chain/sealed-block.ts'
import type { DevnetCore } from '../../core.ts'
import { invalidInput } from '../../rpc-error.ts'
import { createAccessList } from '../../tracing/create-access-list.ts'
import { type SimulatedBlock, simulateBlocks } from '../../tracing/simulate/simulate-blocks.ts'
import { traceBlock, traceCall, traceTransaction } from '../../tracing/trace-transaction.ts'
import { getBlock } from '../find-block.ts'
import { blockJson } from '../formats/block-json.ts'
import { type MethodTable, method } from '../method-table.ts'
import { runMinedOf, vmBefore } from '../replay.ts'
import { type BlockId, blockId, blockTag, hash } from '../schemas.ts'
import { stateOfBlock } from '../state-of-block.ts'
import { defaultGas } from '../transaction-data.ts'

/** Checked by the method that it is given to. */
const given = z.unknown()

export const traceMethods: MethodTable = {
  debug_traceTransaction: method([hash, given], async ({ core }, wanted, options) => {
    const place = core.chain.transaction(wanted)
    if (place === undefined) {
      throw invalidInput(`Unable to find a block containing transaction ${wanted}`)
    }
    const { sealed, index } = place
    const vm = await vmBefore(core, sealed, index)
    const runMined = runMinedOf(sealed)
    return traceTransaction({ vm, block: sealed.block, index, options, runMined })
  }),

  debug_traceBlockByNumber: method([blockTag, given], ({ core }, id, options) => {
    return traceWhole(core, id, options)
  }),

  debug_traceBlockByHash: method([hash, given], ({ core }, blockHash, options) => {
    return traceWhole(core, { blockHash }, options)
  }),

  debug_traceCall: method(
    [given, blockId.nullish(), given],
    async ({ core }, call, id, options) => {
      const { sealed, state } = await stateOfBlock(core, id)
      const vm = await core.chain.vmOn(state)
      const { block } = sealed
      const gasCap = core.rules.transactionGasCap
      return traceCall({ vm, block, call, options, defaultGas: defaultGas(core), gasCap })
    },
  ),

  eth_createAccessList: method(
    [given, blockId.nullish(), given],
    async ({ core }, call, id, overrides) => {
      const { sealed, state } = await stateOfBlock(core, id)
      const vm = await core.chain.vmOn(state)
      const { block } = sealed
      return createAccessList({ vm, block, call, overrides, defaultGas: defaultGas(core) })
    },
  ),

  eth_simulateV1: method([given, blockId.nullish()], async ({ core }, payload, id) => {
    const { sealed, state } = await stateOfBlock(core, id)
    const vm = await core.chain.vmOn(state)
    const simulation = await simulateBlocks({ vm, base: sealed.block, payload })
    return simulation.blocks.map((simulated) => ({
      ...blockJson(sealedOf(simulated), { isFull: simulation.returnsFullTransactions }),
      withdrawals: (simulated.block.withdrawals ?? []).map((each) => each.toJSON()),
      calls: simulated.calls,
    }))
  }),
}

async function traceWhole(core: DevnetCore, id: BlockId, options: unknown): Promise<unknown> {
  const sealed = getBlock(core.chain, id)
  if (sealed === 'pending') throw invalidInput('The pending block cannot be traced')
  if (sealed.transactions.length === 0) return []
  const vm = await vmBefore(core, sealed, 0)
  return traceBlock({ vm, block: sealed.block, options, runMined: runMinedOf(sealed) })
}

/** As the format of blocks wants them. */
function sealedOf({ block, hash, transactions }: SimulatedBlock): SealedBlock {
  return {
    header: block.header,
    hash,
    block,
    size: block.serialize().length,
    transactions: transactions.map((each) => {
      return { ...each, bytes: serializeTransaction(each.tx), isImpersonated: true }
    }),
    receipts: [],
  }
}
