// What every transaction touches by the rules of the protocol, and what its own lists name.
// Authority on what follows from the envelope alone. Must not guess: guesses are templates' business.
import { type AccessSink, CERTAIN, DECLARED } from './access-sink.ts'
import type { TransactionFacts } from './transaction-facts.ts'
import type { Keccak } from './word.ts'

/** A signed authorization is usually good; a stale nonce makes it void. */
const AUTHORIZED = 90

/**
 * Reports what the envelope demands: the sender's nonce and balance, the recipient's code and its
 * growing balance, the account of a creation, the fee.
 */
export function predictEnvelope(facts: TransactionFacts, keccak: Keccak, sink: AccessSink): void {
  const { sender, to, value, coinbase } = facts
  if (sender !== undefined) {
    sink.nonce(sender, 'write', CERTAIN)
    sink.balance(sender, 'write', CERTAIN)
  }
  if (to !== undefined) {
    sink.code(to, 'read', CERTAIN)
    if (value > 0n) sink.balance(to, 'delta', CERTAIN)
  } else if (sender !== undefined) {
    const created = creationAddress(sender, facts.nonce, keccak)
    sink.existence(created, 'write', CERTAIN)
    sink.nonce(created, 'write', CERTAIN)
    sink.code(created, 'write', CERTAIN)
    if (value > 0n) sink.balance(created, 'delta', CERTAIN)
  }
  sink.balance(coinbase, 'delta', CERTAIN)
}

/**
 * Reports what the transaction declares. An EIP-2930 list warms locations and says nothing of how they
 * are used: they are reported as reads with low confidence, and a template that knows better reports
 * the write. EIP-7702 authorities get a nonce and code.
 */
export function predictDeclared(facts: TransactionFacts, sink: AccessSink): void {
  if (facts.accessList !== undefined) {
    for (const [address, keys] of facts.accessList) {
      if (address.length !== 20) continue
      sink.code(address, 'read', DECLARED)
      for (const key of keys) if (key.length === 32) sink.slot(address, key, 'read', DECLARED)
    }
  }
  if (facts.authorities !== undefined) {
    for (const authority of facts.authorities) {
      sink.nonce(authority, 'write', AUTHORIZED)
      sink.code(authority, 'write', AUTHORIZED)
    }
  }
}

/**
 * The address of the contract that a transaction creates: the last 20 bytes of
 * `keccak256(rlp([sender, nonce]))` (Yellow Paper, section 7).
 */
export function creationAddress(sender: Uint8Array, nonce: bigint, keccak: Keccak): Uint8Array {
  const digits = nonceBytes(nonce)
  // One byte below 0x80 stands for itself; anything else has its length in front.
  const plain = digits.length === 1 && digits[0]! < 0x80
  const payload = 21 + (plain ? 1 : 1 + digits.length)
  const encoded = new Uint8Array(1 + payload)
  encoded[0] = 0xc0 + payload
  encoded[1] = 0x80 + 20
  encoded.set(sender, 2)
  if (!plain) encoded[22] = 0x80 + digits.length
  encoded.set(digits, plain ? 22 : 23)
  return keccak(encoded).subarray(12)
}

function nonceBytes(nonce: bigint): Uint8Array {
  const padded = new Uint8Array(8)
  new DataView(padded.buffer).setBigUint64(0, nonce)
  let first = 0
  while (first < 8 && padded[first] === 0) first++
  return padded.subarray(first)
}
