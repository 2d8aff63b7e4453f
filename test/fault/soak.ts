// Many consecutive blocks on one executor: resident memory over time, and every block's result.
// Authority on what "flat" means: the median of the last fifth against the one after warm-up.
// It must not keep what it compares: stock's results are made once per chain and compared by root.
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { runBlock } from '@ethereumjs/vm'
import { assembleHex, deployer } from '../support/assembler.ts'
import { type BlockPlan, fillHeader, makeBlock, makeWorld } from '../support/hand-made-block.ts'
import {
  type Actor,
  actors,
  addressWord,
  childRuntime,
  contracts,
  numberWord,
} from '../support/random-world.ts'
import { addOne, contractOf } from '../support/small-contracts.ts'
import { strictExecutor } from '../support/strict-executor.ts'

/** Blocks on one state; then a new one, because stock's database keeps every block's trie nodes. */
const chainLength = 25
const { counter, reader, hot } = contracts

export interface SoakReport {
  readonly differences: string[]
  readonly afterWarmUp: number
  readonly atTheEnd: number
}

/** Runs the blocks; memory is in MiB. */
export async function soak(blocks: number, log: (line: string) => void): Promise<SoakReport> {
  setFlagsFromString('--expose-gc')
  const collectGarbage = runInNewContext('gc') as () => void
  const world = await makeWorld({
    accounts: {
      [counter.toString()]: contractOf([addOne]),
      [reader.toString()]: {
        code: assembleHex(
          [
            0,
            'CALLDATALOAD',
            'BALANCE',
            1,
            'SSTORE',
            0,
            'CALLDATALOAD',
            'EXTCODEHASH',
            2,
            'SSTORE',
          ],
          [32, 0, 0, 'MSTORE', 32, 0, 'LOG0', 1_000, 0, 'RETURN'],
        ),
        nonce: 1n,
      },
    },
  })
  const expected: string[] = []
  {
    const vm = await world.vm()
    const nonces = new Map<Actor, bigint>()
    for (let at = 0; at < chainLength; at++) {
      const block = makeBlock(world.common, planAt(at), nonces)
      const result = await runBlock(vm, { ...fillHeader, block })
      expected.push(fingerprint(result))
    }
  }
  const executor = await strictExecutor()
  const differences: string[] = []
  const samples: number[] = []
  try {
    let vm = await world.vm()
    let nonces = new Map<Actor, bigint>()
    for (let number = 0; number < blocks; number++) {
      const at = number % chainLength
      if (at === 0) {
        vm = await world.vm()
        nonces = new Map()
      }
      const block = makeBlock(world.common, planAt(at), nonces)
      const result = await executor.runBlock(vm, { ...fillHeader, block })
      if (fingerprint(result) !== expected[at] || result.parallel.mode !== 'parallel') {
        differences.push(`block ${number}: not stock's result, or not parallel`)
      }
      if (number % 10 === 9) {
        collectGarbage()
        samples.push(process.memoryUsage.rss() / 2 ** 20)
      }
      if (number % 100 === 99)
        log(`block ${number + 1}: ${samples.at(-1)?.toFixed(0)} MiB resident`)
    }
  } finally {
    await executor.close()
  }
  const fifth = Math.floor(samples.length / 5)
  return {
    differences,
    afterWarmUp: median(samples.slice(fifth, 2 * fifth)),
    atTheEnd: median(samples.slice(-fifth)),
  }
}

/** Resident memory may differ by what one collection more or less of two workers' heaps makes. */
export function isFlat({ afterWarmUp, atTheEnd }: SoakReport): boolean {
  return atTheEnd < afterWarmUp * 1.15 + 32
}

function planAt(at: number): BlockPlan {
  return {
    number: 20n + BigInt(at),
    transactions: Array.from({ length: 24 }, (_, index) => ({
      from: actors[index % 9]!,
      ...[
        { to: counter },
        { to: hot[index % 4]!, value: 1n },
        { to: reader, data: addressWord(actors[(index + at) % 9]!.address) },
        { data: deployer(childRuntime, [index, at + 1, 'SSTORE']) },
        { to: actors[9]!.address, data: numberWord(at) },
      ][index % 5]!,
    })),
    withdrawals: [{ address: hot[at % 4]!, amount: 1n }],
  }
}

function fingerprint(result: { stateRoot: Uint8Array; receiptsRoot: Uint8Array }): string {
  return Buffer.concat([result.stateRoot, result.receiptsRoot]).toString('hex')
}

function median(values: number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN
}
