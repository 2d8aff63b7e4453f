// A devnet's options, checked and with every default filled in.
// The authority on the defaults, which are Hardhat's. Must not make anything of them.

import { z } from 'zod'
import type { DevnetOptions } from './devnet-contract.ts'
import type { Hex } from './hex.ts'

export const DEFAULT_MNEMONIC = 'test test test test test test test test test test test junk'
const ETHER = 10n ** 18n

/** Hardforks that a devnet can have: those from which on blocks have a randomness field and no miner. */
export const HARDFORKS = ['paris', 'shanghai', 'cancun', 'prague', 'osaka'] as const
export type DevnetHardfork = (typeof HARDFORKS)[number]

export interface ResolvedDevnetOptions {
  readonly chainId: number
  readonly networkId: number
  readonly hardfork: DevnetHardfork
  readonly accounts: {
    readonly mnemonic: string
    readonly count: number
    readonly passphrase: string
    readonly path: string
    readonly initialIndex: number
    readonly balance: bigint
    readonly privateKeys: readonly Hex[] | undefined
    readonly balances: readonly bigint[] | undefined
  }
  readonly blockGasLimit: bigint
  readonly workers: number | undefined
  readonly mining: {
    readonly auto: boolean
    readonly interval: number | readonly [number, number]
    readonly order: 'priority' | 'fifo'
  }
  readonly dataDir: string | undefined
  readonly coinbase: Hex
  readonly initialBaseFeePerGas: bigint
  readonly initialDate: Date | undefined
  readonly allowUnlimitedContractSize: boolean
  readonly allowBlocksWithSameTimestamp: boolean
  readonly minGasPrice: bigint
  readonly throwOnTransactionFailures: boolean
  readonly throwOnCallFailures: boolean
  readonly gasEstimationMode: NonNullable<DevnetOptions['gasEstimationMode']>
  readonly contracts: DevnetOptions['contracts']
}

const wei = z.bigint().nonnegative()
const milliseconds = z.number().int().nonnegative().safe()
const hexString = (bytes: number) =>
  z
    .string()
    .regex(new RegExp(`^0x[0-9a-fA-F]{${2 * bytes}}$`), `must be ${bytes} bytes in hex with 0x`)
    .transform((text) => text.toLowerCase() as Hex)

const schema: z.ZodType<ResolvedDevnetOptions, z.ZodTypeDef, unknown> = z
  .object({
    chainId: z.number().int().positive().safe().default(31_337),
    networkId: z.number().int().nonnegative().safe().optional(),
    hardfork: z.enum(HARDFORKS).default('osaka'),
    accounts: z
      .object({
        mnemonic: z.string().min(1).default(DEFAULT_MNEMONIC),
        count: z.number().int().nonnegative().max(10_000).default(20),
        passphrase: z.string().default(''),
        path: z
          .string()
          .regex(/^m(\/\d+'?)+\/?$/, "must be a path such as m/44'/60'/0'/0")
          .default("m/44'/60'/0'/0"),
        initialIndex: z
          .number()
          .int()
          .nonnegative()
          .max(2 ** 31 - 1)
          .default(0),
        balance: wei.default(10_000n * ETHER),
        privateKeys: z.array(hexString(32)).optional(),
        balances: z.array(wei).optional(),
      })
      .strict()
      .refine(
        ({ privateKeys, balances }) =>
          balances === undefined || balances.length === privateKeys?.length,
        'must have as many balances as private keys',
      )
      .default({})
      .transform((accounts) => ({
        ...accounts,
        privateKeys: accounts.privateKeys,
        balances: accounts.balances,
      })),
    blockGasLimit: z
      .bigint()
      .positive()
      .max(2n ** 63n - 1n)
      .default(60_000_000n),
    workers: z.number().int().positive().max(64).optional(),
    mining: z
      .object({
        auto: z.boolean().default(true),
        interval: z
          .union([milliseconds, z.tuple([milliseconds, milliseconds])])
          .refine(
            (it) => typeof it === 'number' || it[0] <= it[1],
            'must be a range from low to high',
          )
          .default(0),
        order: z.enum(['priority', 'fifo']).default('priority'),
      })
      .strict()
      .default({}),
    dataDir: z.string().min(1).optional(),
    coinbase: hexString(20).default('0xc014ba5ec014ba5ec014ba5ec014ba5ec014ba5e'),
    initialBaseFeePerGas: wei.default(1_000_000_000n),
    initialDate: z.date().optional(),
    allowUnlimitedContractSize: z.boolean().default(false),
    allowBlocksWithSameTimestamp: z.boolean().default(false),
    minGasPrice: wei.default(0n),
    throwOnTransactionFailures: z.boolean().default(true),
    throwOnCallFailures: z.boolean().default(true),
    gasEstimationMode: z
      .enum(['topLevelSuccess', 'noInternalOutOfGas'])
      .default('noInternalOutOfGas'),
    contracts: z
      .custom<NonNullable<DevnetOptions['contracts']>>((it) => typeof it === 'function', {
        message: 'must be a function',
      })
      .optional(),
  })
  .strict()
  .transform((options) => ({
    ...options,
    networkId: options.networkId ?? options.chainId,
    workers: options.workers,
    dataDir: options.dataDir,
    initialDate: options.initialDate,
    contracts: options.contracts,
  }))

/** @throws TypeError that names the option and says what is allowed */
export function resolveDevnetOptions(options: DevnetOptions = {}): ResolvedDevnetOptions {
  const result = schema.safeParse(options)
  if (result.success) return result.data
  const [issue] = result.error.issues
  const name = issue?.path.join('.') ?? ''
  throw new TypeError(
    `Invalid devnet option${name === '' ? 's' : ` "${name}"`}: ${issue?.message ?? 'unknown'}`,
  )
}
