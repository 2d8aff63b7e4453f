// Values of every kind that can cross threads in a result, at random.
// Authority on the range that the tests of the encoding draw from; must not encode anything itself.
import { EVMError } from '@ethereumjs/evm'
import { Address } from '@ethereumjs/util'
import { Bloom } from '@ethereumjs/vm'
import fc from 'fast-check'

export const bytes = (max: number) => fc.uint8Array({ maxLength: max })
const address = fc
  .uint8Array({ minLength: 20, maxLength: 20 })
  .map((one) => new Address(Uint8Array.from(one)))
export const bloom = fc.oneof(
  fc.constant(undefined).map(() => new Bloom()),
  fc.uint8Array({ minLength: 256, maxLength: 256 }).map((one) => new Bloom(Uint8Array.from(one))),
)
export const evmError = fc
  .constantFrom(...Object.values(EVMError.errorMessages))
  .map((message) => new EVMError(message))
export const otherError = fc.tuple(fc.string(), fc.string()).map(([name, message]) => {
  const error = new Error(message)
  error.name = name
  // It tells where it was made, which is another place on the other side.
  delete error.stack
  return error
})
/** A name that an object of literals can have as a field. */
export const fieldName = fc.string().filter((one) => one !== '__proto__')

/** Any value that can cross threads, nested or not. */
export const { value } = fc.letrec<{ value: unknown; leaf: unknown }>((tie) => ({
  leaf: fc.oneof(
    fc.constantFrom(undefined, null, true, false, '', 0, -0, 0n),
    fc.integer(),
    fc.constantFrom(0xffff_ffff, 0x1_0000_0000, -1, Number.NaN, Number.POSITIVE_INFINITY),
    fc.double(),
    fc.bigInt(),
    fc.bigInt({ min: 0n, max: 2n ** 64n }),
    fc.constantFrom(2n ** 64n - 1n, 2n ** 64n, 2n ** 256n - 1n, -(2n ** 64n), 2n ** 1000n),
    fc.string(),
    fc.string({ unit: 'grapheme', maxLength: 50 }),
    bytes(70),
    address,
    bloom,
    evmError,
  ),
  value: fc.oneof(
    { arbitrary: tie('leaf'), weight: 6 },
    { arbitrary: fc.array(tie('value'), { maxLength: 5 }), weight: 1 },
    {
      arbitrary: fc
        .array(fc.tuple(tie('leaf'), tie('value')), { maxLength: 4 })
        .map((entries) => new Map(entries)),
      weight: 1,
    },
    {
      arbitrary: fc.array(tie('leaf'), { maxLength: 4 }).map((members) => new Set(members)),
      weight: 1,
    },
    { arbitrary: fc.dictionary(fieldName, tie('value'), { noNullPrototype: true }), weight: 1 },
  ),
}))
