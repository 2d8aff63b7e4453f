import { keccak_256 } from '@noble/hashes/sha3.js'
import { describe, expect, it } from 'vitest'

import { CERTAIN } from '../../../src/access/access-sink.ts'
import type { TemplateLibrary } from '../../../src/access/template-library.ts'
import { NOTHING } from '../../../src/ids.ts'
import { ACCOUNT, BASE, SLOT, TRANSACTION, transactionIndex } from '../../../src/memory/layout.ts'
import { writeSizedBytes } from '../../../src/memory/sized-bytes.ts'
import { makeBlock } from '../../support/hand-made-block.ts'
import { contracts } from '../../support/random-world.ts'
import { counterCode } from '../../support/small-contracts.ts'
import { alice, bob, carol, pay, setUp, slotKey, world } from './support/played-planner.ts'

const { counter } = contracts

describe('predictions', () => {
  it('are one row and the facts of each transaction, however they came in', async () => {
    const plan = [pay(alice, bob), pay(bob, carol), pay(carol, alice)]
    const { planner, recover } = await setUp(plan)
    planner.begin()
    for (const index of [0, 1, 2]) {
      recover(index)
      await planner.advance()
    }
    const { rows, facts } = planner.predictions
    expect(rows.count).toBe(3)
    expect(facts.map(({ sender }) => sender)).toEqual(plan.map(({ from }) => from.address.bytes))
    for (const [index] of plan.entries()) {
      expect(rows.starts[index + 1]! - rows.starts[index]!).toBeGreaterThan(3)
    }
  })

  it('are asked of the templates of whatever code is called, and of nothing else', async () => {
    const asked: [nonce: bigint, codeHash: Uint8Array][] = []
    const predict: TemplateLibrary['predict'] = ({ nonce }, codeHash) => {
      asked.push([nonce, codeHash])
      return 'whole'
    }
    const plan = [
      { from: alice, to: counter, nonce: 10n },
      { ...pay(bob, carol), nonce: 11n },
      { from: carol, data: Uint8Array.of(0), nonce: 12n },
    ]
    const { planner, recoverAll } = await setUp(plan, { templates: { predict } })
    planner.begin()
    recoverAll()
    await planner.advance()
    expect(asked).toEqual([[10n, keccak_256(codeOf(counterCode))]])
  })

  it('are waited for: callers of one counter go one after the other', async () => {
    const predict: TemplateLibrary['predict'] = (_facts, _hash, sink) => {
      sink.slot(counter.bytes, slotKey, 'write', CERTAIN)
      return 'whole'
    }
    const plan = [alice, bob, carol].map((from) => ({ from, to: counter }))
    const { planner, recoverAll, blockers } = await setUp(plan, { templates: { predict } })
    planner.begin()
    recoverAll()
    await planner.advance()
    planner.publish()
    expect(blockers()).toEqual([NOTHING, 0, 1])
    expect(planner.outlook).toMatchObject({ levels: 3, criticalGas: 3e6, totalGas: 3e6 })
  })

  it('are loaded ahead, slots too', async () => {
    const predict: TemplateLibrary['predict'] = (_facts, _hash, sink) => {
      sink.slot(counter.bytes, slotKey, 'read', CERTAIN)
      return 'whole'
    }
    const { planner, memory, recoverAll } = await setUp([{ from: alice, to: counter }], {
      templates: { predict },
    })
    planner.begin()
    recoverAll()
    await planner.advance()
    await planner.loaded()
    const slot = memory.table.slot(memory.table.account(counter.bytes), slotKey)
    expect(memory.state.words[slot + SLOT.STATUS]).toBe(BASE.PRESENT)
    expect(memory.state.bytes[(slot + SLOT.VALUE) * 4 + 31]).toBe(0x2a)
  })

  it('that hang on a slot are repeated once it is there, and not added to the first ones', async () => {
    const seen: (Uint8Array | undefined)[] = []
    const predict: TemplateLibrary['predict'] = (_facts, _hash, sink, loadSlot) => {
      const value = loadSlot(counter.bytes, slotKey)
      seen.push(value)
      sink.nonce(counter.bytes, 'read', CERTAIN)
      return value === undefined ? 'partial' : 'whole'
    }
    const { planner, memory, recoverAll } = await setUp(
      [{ from: alice, to: counter }, pay(bob, carol)],
      { templates: { predict } },
    )
    planner.begin()
    recoverAll()
    expect(await planner.advance()).toBe(true)
    const value = new Uint8Array(32)
    value[31] = 0x2a
    expect(seen).toEqual([undefined, value])
    const { rows, facts } = planner.predictions
    expect([rows.count, facts.length]).toEqual([2, 2])
    const head = memory.table.account(counter.bytes) + ACCOUNT.NONCE_HEAD
    expect(rows.locations.subarray(0, rows.starts[1]).filter((at) => at === head).length).toBe(1)
  })

  it('that stay in want of more do not keep the block from being planned', async () => {
    let asked = 0
    const predict: TemplateLibrary['predict'] = (_facts, _hash, _sink, loadSlot) => {
      loadSlot(counter.bytes, new Uint8Array(32).fill(++asked))
      return 'partial'
    }
    const { planner, recoverAll } = await setUp([{ from: alice, to: counter }], {
      templates: { predict },
    })
    planner.begin()
    recoverAll()
    expect(await planner.advance()).toBe(true)
    expect(asked).toBe(2)
  })

  it('that the templates are curious about are recorded, and no others', async () => {
    const isCurious: TemplateLibrary['isCurious'] = ({ nonce }) => nonce === 0n
    const plan = [{ from: alice, to: counter }, { from: alice, to: counter }, pay(bob, carol)]
    const { planner, memory, recoverAll } = await setUp(plan, { templates: { isCurious } })
    planner.begin()
    recoverAll()
    await planner.advance()
    const wants = plan.map((_, index) => {
      return memory.control[transactionIndex(index, TRANSACTION.WANTS_PREIMAGES)]
    })
    expect(wants).toEqual([1, 0, 0])
  })
})

describe('a public key that a worker found', () => {
  it('stays with a frozen transaction, so that nobody recovers it again', async () => {
    const known = makeBlock(world.common, { transactions: [pay(alice, bob), pay(bob, carol)] })
    for (const tx of known.transactions) delete tx.cache.senderPubKey
    const [first] = known.transactions
    expect(Object.isFrozen(first)).toBe(true)
    const plan = [pay(alice, bob), pay(bob, carol)]
    const { planner, memory, recoverAll } = await setUp(plan, { block: known })
    planner.begin()
    const at = writeSizedBytes(memory.blockAllocator, alice.publicKey)
    memory.control[transactionIndex(0, TRANSACTION.PUBLIC_KEY)] = at
    recoverAll()
    await planner.advance()
    expect(known.transactions.map((tx) => tx.cache.senderPubKey)).toEqual([
      alice.publicKey,
      undefined,
    ])
  })

  it('does not replace one that is known', async () => {
    const { planner, memory, recoverAll, block } = await setUp([pay(alice, bob)])
    planner.begin()
    const at = writeSizedBytes(memory.blockAllocator, bob.publicKey)
    memory.control[transactionIndex(0, TRANSACTION.PUBLIC_KEY)] = at
    recoverAll()
    await planner.advance()
    expect(block.transactions[0]?.cache.senderPubKey).toEqual(alice.publicKey)
  })
})

function codeOf(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex.slice(2), 'hex'))
}
