// evm_*: time, mining, snapshots. The authority on their parameters and results, which are Hardhat's.

import { z } from 'zod'
import { quantity } from '../../hex.ts'
import { invalidInput, invalidParams } from '../../rpc-error.ts'
import { type MethodTable, method } from '../method-table.ts'
import { count, quantity as quantitySchema } from '../schemas.ts'

const MOST_GAS = 2n ** 63n - 1n
const milliseconds = z
  .union([z.number().int().nonnegative().safe(), quantitySchema.transform(Number)])
  .refine((value) => value < 2 ** 31, 'must be less than 2^31 ms')
const interval = z.union([milliseconds, z.tuple([milliseconds, milliseconds])], {
  errorMap: () => ({ message: 'must be a number of ms, or a range of them from low to high' }),
})

export const evmMethods: MethodTable = {
  evm_mine: method([count.nullish()], ({ core }, timestamp) =>
    core.changes.run(async () => {
      await core.miner.mine(timestamp ?? undefined)
      return '0'
    }),
  ),
  evm_increaseTime: method([count], ({ core }, seconds) =>
    core.changes.run(async () => String(core.miner.clock.increase(seconds))),
  ),
  evm_setNextBlockTimestamp: method([count], ({ core }, timestamp) =>
    core.changes.run(async () => {
      core.miner.clock.setNext(timestamp, core.chain.head.header.timestamp)
      return String(timestamp)
    }),
  ),
  evm_setAutomine: method([z.boolean()], ({ core }, isOn) =>
    core.changes.run(async () => {
      core.settings.automine = isOn
      return true
    }),
  ),
  evm_setIntervalMining: method([interval], ({ core }, ms) => {
    if (typeof ms !== 'number' && ms[0] > ms[1]) {
      throw invalidParams('Minimum value in range is greater than maximum value')
    }
    core.interval.set(ms)
    return true
  }),
  evm_setBlockGasLimit: method([count], ({ core }, gas) =>
    core.changes.run(async () => {
      if (gas === 0n) throw invalidInput('Block gas limit must be greater than 0')
      if (gas > MOST_GAS) throw invalidInput('Block gas limit must be less than 2^63')
      core.miner.settings.gasLimit = gas
      return true
    }),
  ),
  evm_snapshot: method([], ({ core }) =>
    core.changes.run(async () => quantity(core.snapshots.take())),
  ),
  evm_revert: method([quantitySchema], ({ core }, id) =>
    core.changes.run(async () => {
      const isDone = await core.snapshots.revert(Number(id))
      if (isDone) core.events.emit('reverted')
      return isDone
    }),
  ),
}
