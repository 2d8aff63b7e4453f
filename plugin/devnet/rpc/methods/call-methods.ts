// eth_call and eth_estimateGas. The authority on their parameters.

import { hexOf, quantity } from '../../hex.ts'
import { type Call, createSimulation, type Simulation, simulate } from '../../simulation/call.ts'
import { estimateGas } from '../../simulation/estimate-gas.ts'
import { withConsole } from '../../tracing/console/collect-console-lines.ts'
import { applyStateOverrides, stateOverrides } from '../../tracing/state-overrides.ts'
import { failureOf, internalCallOutOfGas, type Rerun } from '../failure.ts'
import { type MethodTable, method } from '../method-table.ts'
import { blockId, transactionRequest } from '../schemas.ts'
import { stateOfBlock } from '../state-of-block.ts'
import { callData, callGas } from '../transaction-data.ts'

export const callMethods: MethodTable = {
  eth_call: method(
    [transactionRequest, blockId.nullish(), stateOverrides.nullish()],
    async ({ core }, request, id, overrides) => {
      const at = await stateOfBlock(core, id)
      const simulation = await createSimulation(core.chain, at)
      await applyStateOverrides(simulation.vm, overrides ?? undefined)
      const call = await callData(core, request)
      const print = (line: string) => core.events.emit('log', line)
      const result = await withConsole(simulation.vm, print, () => simulate(simulation, call))
      const { exceptionError, returnValue } = result.execResult
      if (exceptionError !== undefined && core.options.throwOnCallFailures) {
        throw await failureOf(core, { result, rerun: () => again(simulation, call) })
      }
      return hexOf(returnValue)
    },
  ),

  eth_estimateGas: method(
    [transactionRequest, blockId.nullish(), stateOverrides.nullish()],
    async ({ core }, request, id, overrides) => {
      const at = await stateOfBlock(core, id ?? 'pending')
      const simulation = await createSimulation(core.chain, at)
      await applyStateOverrides(simulation.vm, overrides ?? undefined, 'eth_estimateGas')
      const call = await callData(core, request)
      const cap = callGas(core, request.gas)
      const lines: string[] = []
      const estimate = await withConsole(
        simulation.vm,
        (line) => lines.push(line),
        () => estimateGas(simulation, call, cap, core.options.gasEstimationMode),
      )
      if ('gas' in estimate) return quantity(estimate.gas)
      // What failed was run once, and what it printed tells why; what succeeds will be run for real.
      for (const line of lines) core.events.emit('log', line)
      const { failed } = estimate
      if (failed === 'internal call out of gas') throw internalCallOutOfGas()
      throw await failureOf(core, { result: failed, rerun: () => again(simulation, call) })
    },
  ),
}

function again(simulation: Simulation, call: Call): Rerun {
  return { vm: simulation.vm, run: () => simulate(simulation, call) }
}
