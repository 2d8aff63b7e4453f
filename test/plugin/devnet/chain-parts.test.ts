// The parts of a chain by themselves: which blocks may have logs, which records are found after going
// back, and the order of a pool, each held to a simpler way of saying the same.
import { createBlock } from '@ethereumjs/block'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MemoryArchive } from '../../../plugin/devnet/chain/block-archive.ts'
import { BlockRecords } from '../../../plugin/devnet/chain/block-records.ts'
import { createLogFilter, logName, mayHave } from '../../../plugin/devnet/chain/log-filter.ts'
import { LogIndex } from '../../../plugin/devnet/chain/log-index.ts'
import { sealBlock } from '../../../plugin/devnet/chain/sealed-block.ts'
import { createChainRules } from '../../../plugin/devnet/chain-rules.ts'
import { resolveDevnetOptions } from '../../../plugin/devnet/devnet-options.ts'
import { hexOf } from '../../../plugin/devnet/hex.ts'
import { miningOrder } from '../../../plugin/devnet/pool/mining-order.ts'
import { makeTransaction } from '../../../plugin/devnet/pool/sign-transaction.ts'
import { TransactionPool } from '../../../plugin/devnet/pool/transaction-pool.ts'

const rules = createChainRules(resolveDevnetOptions())

describe('a filter of logs', () => {
  it('always has what was put into it, and seldom what was not', () => {
    const bytes = fc.uint8Array({ minLength: 20, maxLength: 32 })
    fc.assert(
      fc.property(fc.array(bytes, { minLength: 1, maxLength: 200 }), (members) => {
        const filter = createLogFilter(new Set(members.map((member) => logName(0, member))))
        return members.every((member) => mayHave(filter, logName(0, member)))
      }),
    )
    const small = (value: number) => {
      const topic = new Uint8Array(32)
      new DataView(topic.buffer).setUint32(28, value)
      return topic
    }
    const filter = createLogFilter(
      new Set(Array.from({ length: 2_000 }, (_, at) => logName(1, small(at)))),
    )
    const strangers = Array.from({ length: 10_000 }, (_, at) => logName(1, small(1_000_000 + at)))
    expect(strangers.filter((name) => mayHave(filter, name)).length).toBeLessThan(200)
    expect(mayHave(filter, logName(2, small(5))) && mayHave(filter, logName(3, small(5)))).toBe(
      false,
    )
  })

  it('of each block leads to the blocks of a range, and to none that were taken back', () => {
    const index = new LogIndex()
    const address = `0x${'22'.repeat(20)}`
    const filter = createLogFilter(new Set([logName(0, new Uint8Array(20).fill(0x22))]))
    for (let number = 1; number <= 50; number++) {
      index.append(number, number % 5 === 0 ? filter : undefined)
    }
    const query = { addresses: [address], topics: [] }
    expect(index.candidates(query, 6, 25)).toEqual([10, 15, 20, 25])
    expect(index.candidates({ addresses: [`0x${'33'.repeat(20)}`], topics: [] }, 0, 50)).toEqual([])
    index.truncate(17)
    expect(index.candidates(query, 0, 50)).toEqual([5, 10, 15])
  })
})

describe('records of blocks', () => {
  it('hold the blocks that were appended last, after any ranges and ways back', () => {
    const step = fc.oneof(
      fc.constant({ kind: 'block' as const, count: 1 }),
      fc.integer({ min: 1, max: 20 }).map((count) => ({ kind: 'range' as const, count })),
      fc.integer({ min: 1, max: 25 }).map((count) => ({ kind: 'back' as const, count })),
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const records = new BlockRecords(rules, new MemoryArchive())
        /** The time of each block, by its number. */
        let times: bigint[] = []
        let time = 1n
        for (const { kind, count } of steps) {
          if (kind === 'back') {
            times = times.slice(0, Math.max(0, times.length - count))
            records.truncate(times.length - 1)
          } else if (kind === 'block') {
            const sealed = blockAt(times.length, time)
            records.prepare(sealed, undefined)
            records.append(sealed)
            times.push(time++)
          } else {
            const first = BigInt(times.length)
            records.appendRange({
              ...RANGE,
              first,
              last: first + BigInt(count) - 1n,
              timestamp: time,
            })
            for (let made = 0; made < count; made++) times.push(time++)
          }
        }
        expect(records.last).toBe(times.length - 1)
        for (const [number, expected] of times.entries()) {
          const found = records.byNumber(number)
          expect(found?.header.timestamp).toBe(expected)
          expect(records.numberOf(found?.hash ?? '0x')).toBe(number)
        }
        expect(records.byNumber(times.length)).toBeUndefined()
      }),
      { numRuns: 50 },
    )
  })
})

describe('the order of mining', () => {
  it('takes the best of all senders’ next transactions each time', () => {
    const offers = fc.array(
      fc.record({ sender: fc.integer({ min: 0, max: 4 }), fee: fc.bigInt({ min: 1n, max: 9n }) }),
      { minLength: 1, maxLength: 30 },
    )
    fc.assert(
      fc.property(offers, fc.constantFrom('priority' as const, 'fifo' as const), (list, order) => {
        const pool = new TransactionPool({ total: 100, perSender: 100 })
        const counts = new Map<string, bigint>()
        for (const { sender, fee } of list) {
          const from = `0x${String(sender).padStart(40, '0')}` as const
          const nonce = counts.get(from) ?? 0n
          counts.set(from, nonce + 1n)
          const tx = makeTransaction(rules, { type: 0, nonce, gasLimit: 21_000n, gasPrice: fee })
          const hash = hexOf(new TextEncoder().encode(`${from} ${nonce}`))
          const sent = { tx, bytes: tx.serialize(), hash, sender: from, isImpersonated: false }
          pool.add(sent, { nonce: 0n, balance: 10n ** 18n })
        }
        const nonces = new Map(pool.senders().map((sender) => [sender, 0n]))
        const ordered = miningOrder(pool, nonces, { order, baseFee: 3n, limit: 100 })
        // What can come next is the first of each sender's that is not taken, if it pays the base fee.
        const next = new Map(nonces)
        for (const taken of ordered) {
          const choices = [...next].flatMap(
            ([sender, nonce]) => pool.queueOf(sender).get(nonce) ?? [],
          )
          const paying = choices.filter(({ tx }) => 'gasPrice' in tx && tx.gasPrice >= 3n)
          const best = paying.sort((a, b) => {
            const [one, other] = [a, b].map(({ tx }) =>
              'gasPrice' in tx ? Number(tx.gasPrice) : 0,
            )
            const byFee = order === 'fifo' ? 0 : (other as number) - (one as number)
            return byFee === 0 ? a.arrival - b.arrival : byFee
          })[0]
          expect(taken.hash).toBe(best?.hash)
          next.set(taken.sender, taken.tx.nonce + 1n)
        }
        for (const [sender, nonce] of next) {
          const left = pool.queueOf(sender).get(nonce)?.tx
          expect(left === undefined || ('gasPrice' in left && left.gasPrice < 3n)).toBe(true)
        }
      }),
      { numRuns: 100 },
    )
  })

  it('of a pool that is full is not changed by more', () => {
    const pool = new TransactionPool({ total: 3, perSender: 2 })
    const add = (sender: number, nonce: bigint) => {
      const tx = makeTransaction(rules, { type: 0, nonce, gasLimit: 21_000n, gasPrice: 5n })
      const from = `0x${String(sender).padStart(40, '0')}` as const
      const hash = hexOf(new TextEncoder().encode(`${from} ${nonce}`))
      return pool.add(
        { tx, bytes: tx.serialize(), hash, sender: from, isImpersonated: false },
        { nonce: 0n, balance: 10n ** 18n },
      )
    }
    add(1, 0n)
    add(1, 1n)
    expect(() => add(1, 2n)).toThrow('The sender has 2 transactions in the pool')
    add(2, 0n)
    expect(() => add(3, 0n)).toThrow('The transaction pool is full')
    expect(pool.size).toBe(3)
  })
})

const RANGE = {
  interval: 1n,
  parentHash: new Uint8Array(32),
  gasLimit: 30_000_000n,
  baseFeePerGas: 7n,
  coinbase: new Uint8Array(20),
  stateRoot: new Uint8Array(32),
}

function blockAt(number: number, timestamp: bigint) {
  const { common } = rules
  const header = { number, timestamp, gasLimit: 30_000_000n, baseFeePerGas: 7n }
  return sealBlock(createBlock({ header, withdrawals: [] }, { common }), [], [])
}
