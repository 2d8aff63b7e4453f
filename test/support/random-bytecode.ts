// Random EVM bytecode for comparing interpreters: mostly sensible pieces, some noise, every byte possible.
// Authority on nothing; that programs reach deep enough is what the weights are for.
import fc from 'fast-check'
import { contractAt } from './step-duel.ts'

const interesting: readonly bigint[] = [
  ...[0n, 1n, 2n, 3n, 5n, 31n, 32n, 33n, 63n, 64n, 96n, 127n, 128n, 255n, 256n, 257n, 8191n, 8192n],
  ...[31n, 32n, 53n, 63n, 64n, 128n, 160n, 192n, 255n, 256n].flatMap((bits) => [
    (1n << bits) - 1n,
    (1n << bits) % (1n << 256n),
  ]),
  (1n << 256n) - 32n,
  (1n << 255n) + 1n,
  ...[0, 1, 2, 3].map((index) => BigInt(contractAt(index).toString())),
]

const word = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...interesting) },
  { weight: 1, arbitrary: fc.bigInt({ min: 0n, max: (1n << 256n) - 1n }) },
)
const small = fc.bigInt({ min: 0n, max: 300n })

type Piece = readonly number[]

const pushed = word.map(push)
const operation = fc
  .constantFrom(
    ...range(0x01, 0x1e),
    ...[0x20, 0x20, 0x30, 0x31, 0x32, 0x33, 0x34, 0x35, 0x36, 0x38, 0x3a, 0x3b, 0x3d, 0x3f],
    ...range(0x40, 0x4a),
    ...range(0x50, 0x5f),
    ...[0x51, 0x52, 0x54, 0x55, 0x5a, 0x5b, 0x5b, 0x5b],
    ...range(0x80, 0x85),
    ...range(0x90, 0x95),
  )
  .map((opcode): Piece => [opcode])
const anyByte = fc.integer({ min: 0, max: 255 }).map((byte): Piece => [byte])
const deepStack = fc
  .tuple(fc.constantFrom(0x80, 0x8f, 0x90, 0x9f), fc.integer({ min: 0, max: 20 }))
  .map(([opcode, filled]): Piece => [...Array<number>(filled).fill(0x58), opcode])

/** Copies, logs, hashes, stores, returns: an opcode with places in memory that make sense. */
const onMemory = fc
  .tuple(
    fc.constantFrom(
      0x20,
      0x37,
      0x39,
      0x3e,
      0x51,
      0x52,
      0x53,
      0x5e,
      0xa0,
      0xa1,
      0xa2,
      0xa4,
      0xfd,
      0xf3,
    ),
    fc.array(fc.oneof({ weight: 9, arbitrary: small }, { weight: 1, arbitrary: word }), {
      minLength: 6,
      maxLength: 6,
    }),
  )
  .map(([opcode, words]): Piece => [...words.flatMap(push), opcode])

/** A call of any kind to one of the contracts or to anything. */
const call = fc
  .tuple(
    fc.constantFrom(0xf1, 0xf1, 0xf2, 0xf4, 0xfa),
    fc.oneof(
      fc.integer({ min: 0, max: 3 }).map((i) => BigInt(contractAt(i).toString())),
      word,
    ),
    fc.constantFrom(0n, 0n, 1n, 5000n),
    fc.constantFrom(0n, 100n, 3000n, 40_000n, (1n << 256n) - 1n),
    fc.array(small, { minLength: 4, maxLength: 4 }),
  )
  .map(
    ([opcode, to, value, gas, places]): Piece => [
      ...places.flatMap(push),
      ...(opcode === 0xf4 || opcode === 0xfa ? [] : push(value)),
      ...push(to),
      ...push(gas),
      opcode,
    ],
  )

/** Reads and writes of two slots, one of which has 7 in the beginning; few values, so that they recur. */
const storage = fc
  .tuple(fc.boolean(), fc.constantFrom(0n, 1n), fc.constantFrom(0n, 1n, 7n, 1n << 200n))
  .map(
    ([isWrite, key, value]): Piece =>
      isWrite ? [...push(value), ...push(key), 0x55] : [...push(key), 0x54],
  )

/** Code that only reads and writes slots. */
export const storageCode: fc.Arbitrary<Uint8Array> = fc
  .array(storage, { minLength: 2, maxLength: 9 })
  .map((pieces) => Uint8Array.from(pieces.flat()))

/** Creates from memory, after the running code was copied there. */
const create = fc
  .tuple(fc.constantFrom(0xf0, 0xf5), small, small, fc.constantFrom(0n, 1n))
  .map(
    ([opcode, from, length, value]): Piece => [
      ...[...push(length), ...push(from), ...push(0n), 0x39],
      ...[
        ...(opcode === 0xf5 ? push(1n) : []),
        ...push(length),
        ...push(0n),
        ...push(value),
        opcode,
      ],
    ],
  )

/** Jumps by a marker: two bytes that are patched with the place of some JUMPDEST. */
const JUMP_MARK = -1
const jump = fc
  .tuple(fc.boolean(), fc.integer({ min: 0, max: 1000 }), fc.constantFrom(0x58, 0x36, 0x5a))
  .map(
    ([isConditional, target, condition]): Piece =>
      isConditional
        ? [condition, 0x61, JUMP_MARK, target, 0x57, 0x5b]
        : [0x61, JUMP_MARK, target, 0x56, 0x5b],
  )

const piece = fc.oneof(
  { weight: 20, arbitrary: pushed },
  { weight: 20, arbitrary: operation },
  { weight: 6, arbitrary: onMemory },
  { weight: 4, arbitrary: jump },
  { weight: 3, arbitrary: call },
  { weight: 4, arbitrary: storage },
  { weight: 1, arbitrary: create },
  { weight: 1, arbitrary: deepStack },
  { weight: 1, arbitrary: anyByte },
)

/** Bytecode of up to some hundred bytes; most of it runs for a while. */
export const bytecode: fc.Arbitrary<Uint8Array> = fc
  .tuple(
    fc.integer({ min: 0, max: 12 }),
    fc.array(piece, { minLength: 1, maxLength: 40 }),
    fc.integer({ min: 0, max: 40 }),
  )
  .map(([filled, pieces, cut]) => {
    const symbols = [...Array<number>(filled).fill(0x58), ...pieces.flat()]
    const destinations = symbols.flatMap((symbol, at) => (symbol === 0x5b ? [at] : []))
    const bytes = symbols.map((symbol, at) => {
      const isMark = symbol === JUMP_MARK
      if (!isMark && symbols[at - 1] !== JUMP_MARK) return symbol
      const target = symbols[isMark ? at + 1 : at]!
      const to = destinations[target % (destinations.length + 1)] ?? target
      return isMark ? to >> 8 : to & 0xff
    })
    // Now and then the code ends within a push.
    return Uint8Array.from(cut < 3 ? bytes.slice(0, bytes.length - cut) : bytes)
  })

function push(value: bigint): number[] {
  const hex = value.toString(16)
  const bytes = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex')
  return [0x5f + bytes.length, ...bytes]
}

function range(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, i) => first + i)
}
