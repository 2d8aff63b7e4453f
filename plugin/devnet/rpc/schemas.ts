// The forms that parameters of JSON-RPC methods may have, and what is made of them.
// The authority on what is accepted; everything from outside passes here. Must not look anything up.

import { z } from 'zod'
import type { Hex } from '../hex.ts'

const LARGEST = 2n ** 256n

/** A number in hex. Leading zeros pass, as on Hardhat's own network. */
export const quantity = z
  .string({ invalid_type_error: 'must be a number in hex with 0x' })
  .regex(/^0x[0-9a-fA-F]{1,64}$/, 'must be a number in hex with 0x, of at most 32 bytes')
  .transform((text) => BigInt(text))

/** A count: in hex, or as a JSON number. */
export const count = z.union(
  [
    z
      .number()
      .int()
      .nonnegative()
      .safe()
      .transform((number) => BigInt(number)),
    quantity,
  ],
  { errorMap: () => ({ message: 'must be a number, or one in hex with 0x' }) },
)

const hexText = (form: RegExp, message: string) =>
  z
    .string({ invalid_type_error: message })
    .regex(form, message)
    .transform((text) => text.toLowerCase() as Hex)

/** Bytes in hex. */
export const data = hexText(/^0x([0-9a-fA-F]{2})*$/, 'must be bytes in hex with 0x')
/** The same, where a method itself says how many there must be. */
export const hexDigits = hexText(/^0x[0-9a-fA-F]*$/, 'must be bytes in hex with 0x')
export const address = hexText(/^0x[0-9a-fA-F]{40}$/, 'must be an address: 20 bytes in hex with 0x')
export const hash = hexText(/^0x[0-9a-fA-F]{64}$/, 'must be a hash: 32 bytes in hex with 0x')
export const word = hexText(/^0x[0-9a-fA-F]{64}$/, 'must be 32 bytes in hex with 0x')
/** A storage slot: of up to 32 bytes, in any form. */
export const slot = z
  .string({ invalid_type_error: 'must be a storage slot in hex with 0x' })
  .regex(/^0x[0-9a-fA-F]{1,64}$/, 'must be a storage slot in hex with 0x, of at most 32 bytes')
  .transform((text) => BigInt(text))

const NAMED = ['latest', 'earliest', 'pending', 'safe', 'finalized'] as const
export type NamedBlock = (typeof NAMED)[number]

const blockMessage = {
  errorMap: () => ({
    message: `must be a block: a number in hex, or one of ${NAMED.map((it) => `"${it}"`).join(', ')}`,
  }),
}
/** A block by number or name. */
export const blockTag = z.union([z.enum(NAMED), quantity], blockMessage)
export type BlockTag = z.output<typeof blockTag>

/** The same, or by EIP-1898's objects. */
export const blockId = z.union(
  [
    z.enum(NAMED),
    quantity,
    z.object({ blockNumber: quantity }).strict(),
    z.object({ blockHash: hash, requireCanonical: z.boolean().optional() }).strict(),
  ],
  {
    errorMap: () => ({
      message: `${blockMessage.errorMap().message}, or an object with blockHash or blockNumber`,
    }),
  },
)
export type BlockId = z.output<typeof blockId>

export const accessList = z.array(
  z.object({
    address,
    storageKeys: z
      .array(word)
      .nullish()
      .transform((keys) => keys ?? []),
  }),
)

const authorization = z.object({
  chainId: quantity,
  address,
  nonce: quantity,
  yParity: quantity.optional(),
  v: quantity.optional(),
  r: quantity,
  s: quantity,
})

const word256 = quantity.refine((value) => value < LARGEST)

/** A transaction, or a call, as clients describe it. */
export const transactionRequest = z
  .object({
    from: address.nullish(),
    to: address.nullish(),
    gas: quantity.nullish(),
    gasPrice: word256.nullish(),
    maxFeePerGas: word256.nullish(),
    maxPriorityFeePerGas: word256.nullish(),
    maxFeePerBlobGas: word256.nullish(),
    value: word256.nullish(),
    nonce: quantity.nullish(),
    data: data.nullish(),
    input: data.nullish(),
    chainId: quantity.nullish(),
    type: quantity.nullish(),
    accessList: accessList.nullish(),
    authorizationList: z.array(authorization).nullish(),
    blobVersionedHashes: z.array(hash).nullish(),
    blobs: z.array(data).nullish(),
  })
  .superRefine((request, context) => {
    const { data: one, input: other } = request
    if (one != null && other != null && one !== other) {
      context.addIssue({
        code: 'custom',
        message: 'data and input must be the same',
        path: ['input'],
      })
    }
  })
export type TransactionRequest = z.output<typeof transactionRequest>

const topic = z.union([z.null(), hash, z.array(z.union([z.null(), hash]))], {
  errorMap: () => ({ message: 'must be null, 32 bytes in hex with 0x, or an array of those' }),
})

/** Which logs: eth_getLogs, eth_newFilter, eth_subscribe. */
export const logFilter = z.object({
  fromBlock: blockTag.nullish(),
  toBlock: blockTag.nullish(),
  blockHash: hash.nullish(),
  address: z
    .union([address, z.array(address).max(1_000)], {
      errorMap: () => ({ message: 'must be an address or an array of at most 1,000 of them' }),
    })
    .nullish(),
  topics: z.array(topic).max(4).nullish(),
})
export type LogFilter = z.output<typeof logFilter>
