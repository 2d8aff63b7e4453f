// Receipts encoded in one go against stock's encoding, for whatever a receipt can be.
import { encodeReceipt, type TxReceipt } from '@ethereumjs/vm'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { ReceiptEncoder } from '../../../src/block/receipt-encoder.ts'

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length })
const log = fc.tuple(
  bytes(20),
  fc.array(bytes(32), { maxLength: 4 }),
  fc.oneof(
    fc.uint8Array({ maxLength: 60 }),
    fc.constantFrom(new Uint8Array(70_000).fill(3), Uint8Array.of(0), Uint8Array.of(0x80)),
  ),
)
const outcome = fc.oneof(
  fc.record({ status: fc.constantFrom(0, 1) }),
  fc.record({ stateRoot: bytes(32) }),
)
const receipt = fc
  .tuple(
    outcome,
    fc.record({
      cumulativeBlockGasUsed: fc.oneof(fc.bigInt(0n, 300n), fc.bigInt(0n, 2n ** 64n)),
      bitvector: bytes(256),
      logs: fc.array(log, { maxLength: 6 }),
    }),
  )
  .map(([one, other]) => ({ ...one, ...other }) as unknown as TxReceipt)

describe('an encoded receipt', () => {
  it('is what stock makes of it, for every type of transaction', () => {
    const encoder = new ReceiptEncoder()
    fc.assert(
      fc.property(receipt, fc.constantFrom(0, 1, 2, 3, 4), (one, type) => {
        expect(encoder.encode(one, type)).toEqual(encodeReceipt(one, type))
      }),
    )
  })

  it('does not change when the next one is encoded', () => {
    const encoder = new ReceiptEncoder()
    const [one, other] = fc.sample(receipt, 2)
    const encoded = encoder.encode(one!, 2)
    encoder.encode(other!, 2)
    expect(encoded).toEqual(encodeReceipt(one!, 2))
  })

  it('is left to stock where a listener has put something else than bytes into it', () => {
    const one = {
      status: 1,
      cumulativeBlockGasUsed: 21_000n,
      bitvector: '0x1234',
      logs: [['0x01', [5], 7n]],
    }
    const odd = one as unknown as TxReceipt
    expect(new ReceiptEncoder().encode(odd, 2)).toEqual(encodeReceipt(odd, 2))
  })
})
