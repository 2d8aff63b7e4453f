// How programs put together what they hash: mappings, arrays, packed addresses, CREATE2, strings.
// Authority on telling these by the length and the look of a preimage.
// Must not know where the parts come from: whoever explains words is asked.
import {
  constant,
  type Expression,
  type HashedPart,
  isConstant,
  MOST_HASHED,
} from './expression.ts'
import { formatExpression } from './expression-text.ts'
import { ADDRESS, compareBytes, leadingZeros, padded, smallNumber, WORD } from './word.ts'

/** Explains the parts of preimages. */
export interface PreimageParts {
  word(word: Uint8Array): Expression
  address(address: Uint8Array): Expression
  /** Where in the calldata a row of bytes stands, or -1. */
  packed(bytes: Uint8Array): number
  /** Whether the word is itself a hash that was computed. */
  isHash(word: Uint8Array): boolean
}

/** Addresses with so many leading zeros are precompiles and numbers: nobody's account. */
export const MOST_ADDRESS_ZEROS = 16

/** How a preimage is put together, or undefined where its shape is not known. */
export function composeHash(preimage: Uint8Array, parts: PreimageParts): Expression | undefined {
  const { length } = preimage
  if (length === 0 || length > MOST_HASHED) return undefined
  if (length === 2 * WORD) return keccakOf(mappingParts(preimage, parts))
  if (length % WORD === 0) return keccakOf(wordParts(preimage, parts))
  if (length === 2 * ADDRESS) {
    return keccakOf(ordered(pieces(preimage, [ADDRESS, ADDRESS], parts), preimage))
  }
  if (length === ADDRESS + WORD) return keccakOf(pieces(preimage, [ADDRESS, WORD], parts))
  // CREATE2 (EIP-1014): 0xff, the deployer, the salt, the hash of the init code.
  if (length === 85 && preimage[0] === 0xff) {
    return keccakOf(pieces(preimage, [1, ADDRESS, WORD, WORD], parts))
  }
  return stringMapping(preimage, parts)
}

/** `keccak(key, slot)` as Solidity has it, or `keccak(slot, key)` as Vyper has it. */
function mappingParts(preimage: Uint8Array, { word, isHash }: PreimageParts): HashedPart[] {
  const [first, second] = [preimage.slice(0, WORD), preimage.slice(WORD)]
  if (smallNumber(second) >= 0) return whole(word(first), constant(second))
  // A small number before a hash is the key of a mapping in a mapping; before anything else, a slot.
  if (smallNumber(first) >= 0 && !isHash(second)) return whole(constant(first), word(second))
  return whole(word(first), word(second))
}

function wordParts(preimage: Uint8Array, { word }: PreimageParts): readonly HashedPart[] {
  if (preimage.length === WORD && smallNumber(preimage) >= 0) {
    return whole(constant(preimage.slice()))
  }
  const words: Expression[] = []
  for (let at = 0; at < preimage.length; at += WORD) {
    words.push(word(preimage.slice(at, at + WORD)))
  }
  return ordered(whole(...words), preimage)
}

function pieces(
  preimage: Uint8Array,
  sizes: readonly number[],
  { word, address }: PreimageParts,
): HashedPart[] {
  let at = 0
  return sizes.map((size) => {
    const piece = preimage.slice(at, at + size)
    at += size
    if (size === ADDRESS) return { word: address(piece), size }
    return { word: size === WORD ? word(piece) : constant(padded(piece)), size }
  })
}

/** `mapping(string => ...)`: the bytes of the key, then the slot. */
function stringMapping(
  preimage: Uint8Array,
  { word, packed, isHash }: PreimageParts,
): Expression | undefined {
  const end = preimage.length - WORD
  if (end <= 0) return undefined
  const slot = preimage.slice(end)
  const isDeclared = smallNumber(slot) >= 0
  if (!isDeclared && !isHash(slot)) return undefined
  const found = packed(preimage.subarray(0, end))
  const parts: HashedPart[] = []
  for (let at = 0; at < end; at += WORD) {
    const size = Math.min(WORD, end - at)
    const piece: Expression =
      found === -1
        ? constant(padded(preimage.subarray(at, at + size)))
        : { form: 'data', offset: found + at, size }
    parts.push({ word: piece, size })
  }
  return keccakOf([...parts, { word: isDeclared ? constant(slot) : word(slot), size: WORD }])
}

/**
 * Pools are keyed by their two tokens, the lower one first. Two addresses that come from the
 * transaction and stand in order at the start of a key are believed to have been put in order.
 */
function ordered(parts: readonly HashedPart[], preimage: Uint8Array): readonly HashedPart[] {
  const [first, second, ...rest] = parts
  if (first === undefined || second === undefined) return parts
  if (isConstant(first.word) || isConstant(second.word)) return parts
  const one = preimage.subarray(0, first.size)
  const other = preimage.subarray(first.size, first.size + second.size)
  if (!isAddress(one) || !isAddress(other) || compareBytes(one, other) >= 0) return parts
  // One text for both arrangements, so that both are one rule.
  const isInOrder = formatExpression(first.word) <= formatExpression(second.word)
  const [left, right] = isInOrder ? [first.word, second.word] : [second.word, first.word]
  return [
    { word: { form: 'min', left, right }, size: first.size },
    { word: { form: 'max', left, right }, size: second.size },
    ...rest,
  ]
}

function isAddress(bytes: Uint8Array): boolean {
  const zeros = leadingZeros(bytes) - (bytes.length - ADDRESS)
  return zeros >= 0 && zeros < MOST_ADDRESS_ZEROS
}

function keccakOf(parts: readonly HashedPart[]): Expression {
  return { form: 'keccak', parts }
}

function whole(...words: Expression[]): HashedPart[] {
  return words.map((word) => ({ word, size: WORD }))
}
