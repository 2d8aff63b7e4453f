// Holds what workers are given to being data, and to being the block: what comes out is what went in.
// How workers use it is theirs; how transactions are encoded, chain-data's.
import { Common, Mainnet } from '@ethereumjs/common'
import { publicToAddress } from '@ethereumjs/util'
import { createVM } from '@ethereumjs/vm'
import { describe, expect, it } from 'vitest'

import { BlockMemory } from '../../../src/block/block-memory.ts'
import { blockTask, writeTransactions } from '../../../src/block/block-task.ts'
import { decodeBlock, decodeCommon, decodeTransaction } from '../../../src/execution/chain-data.ts'
import { CONTROL, TRANSACTION, transactionIndex } from '../../../src/memory/layout.ts'
import { readSizedBytes } from '../../../src/memory/sized-bytes.ts'
import { makeBlock, makeWorld } from '../../support/hand-made-block.ts'
import { actors, contracts } from '../../support/random-world.ts'

const world = await makeWorld()
const block = makeBlock(world.common, {
  transactions: [
    { from: actors[0]!, to: contracts.counter, value: 5n },
    { from: actors[1]!, data: Uint8Array.of(1, 2, 3), fields: { to: undefined } },
    { from: actors[2]!, to: actors[3]!.address, fields: { type: 2 } },
  ],
})

function memoryFor(transactions: number, maxBlockMiB = 1): BlockMemory {
  const memory = new BlockMemory(1, maxBlockMiB)
  memory.beginBlock(transactions)
  return memory
}

describe('the transactions in shared memory', () => {
  it('are the block’s, in its order', () => {
    const memory = memoryFor(3)
    writeTransactions(memory, block)
    expect(memory.control[CONTROL.TRANSACTION_COUNT]).toBe(3)
    for (const [index, tx] of block.transactions.entries()) {
      const at = memory.control[transactionIndex(index, TRANSACTION.BYTES)]!
      const bytes = readSizedBytes(memory.block, at)
      const decoded = decodeTransaction(bytes, tx.common, publicToAddress, () => undefined)
      expect(decoded.hash()).toEqual(tx.hash())
      expect(decoded.getSenderAddress()).toEqual(tx.getSenderAddress())
    }
  })

  it('that find no room are refused with STORE_FULL', () => {
    const data = new Uint8Array(100_000)
    const long = makeBlock(world.common, {
      transactions: Array.from({ length: 12 }, () => ({
        from: actors[0]!,
        to: contracts.counter,
        data,
        gasLimit: 10_000_000n,
      })),
    })
    const write = (): void => writeTransactions(memoryFor(12), long)
    expect(write).toThrow(expect.objectContaining({ code: 'STORE_FULL' }))
  })
})

describe('the task', () => {
  it('crosses to a thread as it is, and its memory is shared', async () => {
    const memory = memoryFor(3)
    const task = blockTask(await world.vm(), { block }, memory, 2, 'file:///setup.ts', [])
    const crossed = structuredClone(task)
    expect(crossed).toMatchObject({ kind: 'block', workers: 2, workerSetup: 'file:///setup.ts' })
    expect(crossed.memoryGeneration).toBe(memory.memoryGeneration)
    expect(crossed.stateGeneration).toBe(memory.stateGeneration)
    expect(crossed.lanes).toBeGreaterThanOrEqual(2)
    memory.control[CONTROL.EXECUTIONS] = 77
    expect(new Int32Array(crossed.control)[CONTROL.EXECUTIONS]).toBe(77)
    memory.state.words[99] = 78
    expect(new Int32Array(crossed.state)[99]).toBe(78)
    memory.block.words[99] = 79
    expect(new Int32Array(crossed.block)[99]).toBe(79)
    memory.buckets[99] = 80
    expect(new Int32Array(crossed.buckets)[99]).toBe(80)
  })

  it('has the header, and the rules of VM, block and transactions each for itself', async () => {
    // Rules that differ between the three, as a caller may have it.
    const common = new Common({ chain: Mainnet, hardfork: 'shanghai' })
    const vm = await createVM({ common })
    const task = blockTask(vm, { block }, memoryFor(3), 2, undefined, [])
    const blockCommon = decodeCommon(task.blockCommon, undefined)
    expect(decodeCommon(task.vmCommon, undefined).hardfork()).toBe('shanghai')
    expect(blockCommon.hardfork()).toBe('prague')
    expect(decodeCommon(task.transactionCommon, undefined).hardfork()).toBe(
      block.transactions[0]!.common.hardfork(),
    )
    expect(decodeBlock(task.headerRlp, blockCommon).header.hash()).toEqual(block.header.hash())
  })

  it('has the caller’s options, as far as they change what a transaction does', async () => {
    const plain = blockTask(await world.vm(), { block }, memoryFor(3), 2, undefined, [])
    expect(plain.rules).toEqual({})
    expect(plain.evm).toMatchObject({
      allowUnlimitedContractSize: false,
      allowUnlimitedInitCodeSize: false,
    })
    const loose = await makeWorld({
      evmOpts: { allowUnlimitedContractSize: true, allowUnlimitedInitCodeSize: true },
    })
    const rules = { skipBalance: true, skipNonce: true, skipHardForkValidation: true }
    const task = blockTask(await loose.vm(), { block, ...rules }, memoryFor(3), 2, undefined, [])
    expect(task.rules).toEqual(rules)
    expect(task.evm).toMatchObject({
      allowUnlimitedContractSize: true,
      allowUnlimitedInitCodeSize: true,
    })
  })

  it('says whether the EVM has BLS precompiles, which it decides when it is made', async () => {
    const blsOf = async (hardfork: string): Promise<boolean> => {
      const vm = await (await makeWorld({ hardfork })).vm()
      return blockTask(vm, { block }, memoryFor(3), 2, undefined, []).evm.bls
    }
    expect(await blsOf('prague')).toBe(true)
    expect(await blsOf('cancun')).toBe(false)
  })
})
