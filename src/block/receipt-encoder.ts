// Receipts as they go into a block's receipts trie: what stock's `encodeReceipt` gives, in one go.
// Authority on which receipts it encodes itself: those that consist of bytes, as stock makes them. All others,
// as a listener may have left them, are encoded by stock.

import { TransactionType } from '@ethereumjs/tx'
import { encodeReceipt, type TxReceipt } from '@ethereumjs/vm'
import { RlpWriter } from '../memory/rlp-writer.ts'

const FAILED = new Uint8Array(0)
const SUCCEEDED = Uint8Array.of(1)
const ZERO = Uint8Array.of(0)

export class ReceiptEncoder {
  readonly #writer = new RlpWriter()

  /** The bytes of a receipt of a transaction of this type (EIP-2718). */
  encode(receipt: TxReceipt, txType: TransactionType): Uint8Array {
    const writer = this.#writer
    writer.begin()
    if (!this.#write(receipt)) return encodeReceipt(receipt, txType)
    if (txType !== TransactionType.Legacy) writer.raw(Uint8Array.of(txType))
    return writer.written.slice()
  }

  #write(receipt: TxReceipt): boolean {
    const writer = this.#writer
    const { stateRoot, status, cumulativeBlockGasUsed, bitvector, logs } = receipt as TxReceipt & {
      stateRoot?: Uint8Array
      status?: number
    }
    if (typeof cumulativeBlockGasUsed !== 'bigint' || cumulativeBlockGasUsed < 0n) return false
    if (!this.#item(logs) || !this.#item(bitvector)) return false
    // As stock has it: zero is a byte here, and no empty string.
    if (cumulativeBlockGasUsed === 0n) writer.string(ZERO)
    else writer.number(cumulativeBlockGasUsed)
    if (!this.#item(stateRoot ?? (status === 0 ? FAILED : SUCCEEDED))) return false
    writer.list(0)
    return true
  }

  #item(value: unknown): boolean {
    if (value instanceof Uint8Array) {
      this.#writer.string(value)
      return true
    }
    if (!Array.isArray(value)) return false
    const end = this.#writer.mark
    for (let i = value.length - 1; i >= 0; i--) if (!this.#item(value[i])) return false
    this.#writer.list(end)
    return true
  }
}
