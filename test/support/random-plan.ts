// Plans of random blocks: plain numbers that fast-check makes, prints and shrinks.
// Authority on the distribution: which forks, endings and accidents, and how often.
// It must not look at state; random-block.ts gives the numbers their meaning.
import fc from 'fast-check'

import { OPERATION, type Statement } from './random-program.ts'

export const actionKinds = [
  'call',
  'transfer',
  'drain',
  'create',
  'factory',
  'destroyChild',
  'readPlace',
  'proxy',
  'delegate',
  'callHot',
] as const

export const breakages = [
  'nonceTooHigh',
  'nonceTooLow',
  'tooPoor',
  'feeUnderBaseFee',
  'intrinsicGas',
  'blockGas',
  'senderWithCode',
] as const

export interface Action {
  readonly kind: (typeof actionKinds)[number]
  readonly sender: number
  readonly target: number
  readonly amount: number
  readonly data: number
  readonly gas: number
  readonly fee: number
  readonly type: number
}

/** How the header relates to the outcome: computed, checked and right, or checked and wrong. */
export const endings = [
  'generate',
  'right',
  'wrongStateRoot',
  'wrongReceipts',
  'wrongGas',
  'wrongBloom',
  'wrongRequests',
  'wrongTransactionsTrie',
] as const

/**
 * Whether the block brings its access list (EIP-7928), in which form, and whether it is right. It is then
 * checked, but `whileMade`: a list that is given together with the wish to generate the header.
 */
export const broughtLists = [
  'none',
  'object',
  'rlp',
  'json',
  'wrongValue',
  'oneTooFew',
  'oneTooMany',
  'corrupted',
  'wrongHash',
  'unsorted',
  'whileMade',
] as const

export interface BlockPlan {
  readonly coinbase: number
  readonly baseFee: number
  readonly actions: readonly Action[]
  /** At most one deliberate mistake, at that position. */
  readonly broken: { readonly at: number; readonly how: (typeof breakages)[number] } | null
  readonly ending: (typeof endings)[number]
  readonly accessList: (typeof broughtLists)[number]
  /** What is wrong with a corrupted access list; each number says more than one thing. */
  readonly corruptions: readonly number[]
  readonly withdrawals: readonly number[]
  readonly uncle: boolean
  /** Decode the block anew for ours, so that senders are recovered and not remembered. */
  readonly decodeAnew: boolean
  readonly skip: 'nothing' | 'nonce' | 'balance'
  readonly reportPreimages: boolean
}

export interface WorldPlan {
  readonly hardfork: string
  readonly customChain: boolean
  readonly caches: boolean
  readonly watchEvents: boolean
  /** Somebody else writes to the state between two blocks, and asks for its root or not. */
  readonly meddle: 'never' | 'flushed' | 'unflushed'
  readonly programs: readonly (readonly Statement[])[]
  readonly blocks: readonly BlockPlan[]
}

/** RANDOM_HARDFORK asks for one fork only. Forks before Byzantium run sequentially, so they are rare. */
const onlyHardfork = process.env.RANDOM_HARDFORK
const hardforks = [
  { arbitrary: fc.constant('byzantium'), weight: 3 },
  { arbitrary: fc.constant('petersburg'), weight: 1 },
  { arbitrary: fc.constant('istanbul'), weight: 3 },
  { arbitrary: fc.constant('berlin'), weight: 3 },
  { arbitrary: fc.constant('london'), weight: 3 },
  { arbitrary: fc.constant('paris'), weight: 1 },
  { arbitrary: fc.constant('shanghai'), weight: 3 },
  { arbitrary: fc.constant('cancun'), weight: 4 },
  { arbitrary: fc.constant('prague'), weight: 6 },
  { arbitrary: fc.constant('osaka'), weight: 1 },
  { arbitrary: fc.constant('amsterdam'), weight: 6 },
  { arbitrary: fc.constant('spuriousDragon'), weight: 1 },
]

const byte = fc.nat({ max: 255 })
const number = fc.nat({ max: 4095 })

const statement: fc.Arbitrary<Statement> = fc.record({
  operation: byte,
  a: byte,
  b: number,
  c: number,
})

type Kind = Action['kind']

function actionOf(...kinds: readonly Kind[]): fc.Arbitrary<Action> {
  return fc.record({
    kind: fc.constantFrom(...kinds),
    sender: byte,
    target: byte,
    amount: byte,
    data: number,
    gas: byte,
    fee: byte,
    type: byte,
  })
}

/** A block about everything, or about one thing only: rare meetings need a crowd in one place. */
const anyAction = actionOf(...actionKinds, 'call', 'callHot')
const themes = [
  { arbitrary: anyAction, weight: 5 },
  { arbitrary: actionOf('factory', 'destroyChild', 'readPlace', 'factory'), weight: 2 },
  { arbitrary: actionOf('transfer', 'drain'), weight: 1 },
  { arbitrary: actionOf('callHot', 'proxy'), weight: 2 },
] as const
const delegationThemes = [
  { arbitrary: actionOf('delegate', 'call', 'delegate', 'callHot', 'transfer'), weight: 1 },
] as const

/** Whoever reads a balance here often meets one that is about to change, within a program. */
const watchful: fc.Arbitrary<Statement> = fc.record({
  operation: fc.constantFrom(
    OPERATION.COUNT,
    OPERATION.CALL,
    OPERATION.AROUND_BALANCE,
    OPERATION.AROUND_BALANCE,
  ),
  a: byte,
  b: fc.nat({ max: 15 }),
  c: number,
})
const watchfulThemes = [
  { arbitrary: actionOf('callHot', 'callHot', 'callHot', 'transfer', 'drain'), weight: 1 },
] as const

function oneIn(chances: number): fc.Arbitrary<boolean> {
  return fc.nat({ max: chances - 1 }).map((value) => value === chances - 1)
}

function blockOf(
  themes: readonly { arbitrary: fc.Arbitrary<Action>; weight: number }[],
): fc.Arbitrary<BlockPlan> {
  const lengths = [
    { minLength: 3, maxLength: 14, weight: 4 },
    { minLength: 8, maxLength: 24, weight: 1 },
  ]
  return fc.record({
    ...blockFields,
    actions: fc.oneof(
      ...themes.flatMap(({ arbitrary, weight }) =>
        lengths.map(({ weight: factor, ...length }) => ({
          arbitrary: fc.array(arbitrary, { ...length, size: 'max' as const }),
          weight: weight * factor,
        })),
      ),
    ),
  })
}

const blockFields = {
  coinbase: byte,
  baseFee: fc.constantFrom(7, 1_000_000_000),
  broken: fc.oneof(
    { arbitrary: fc.constant(null), weight: 9 },
    { arbitrary: fc.record({ at: byte, how: fc.constantFrom(...breakages) }), weight: 1 },
  ),
  ending: fc.oneof(
    { arbitrary: fc.constant('generate' as const), weight: 8 },
    { arbitrary: fc.constant('right' as const), weight: 1 },
    { arbitrary: fc.constantFrom(...endings), weight: 1 },
  ),
  accessList: fc.oneof(
    { arbitrary: fc.constant('none' as const), weight: 8 },
    { arbitrary: fc.constantFrom('object' as const, 'rlp' as const, 'json' as const), weight: 6 },
    { arbitrary: fc.constant('corrupted' as const), weight: 3 },
    { arbitrary: fc.constantFrom(...broughtLists), weight: 3 },
  ),
  corruptions: fc.array(fc.nat({ max: 2 ** 30 }), { minLength: 1, maxLength: 6 }),
  withdrawals: fc.array(byte, { maxLength: 3 }),
  uncle: oneIn(6),
  decodeAnew: oneIn(30),
  skip: fc.oneof(
    { arbitrary: fc.constant('nothing' as const), weight: 18 },
    { arbitrary: fc.constantFrom('nonce' as const, 'balance' as const), weight: 1 },
  ),
  reportPreimages: oneIn(30),
}

/**
 * Stock's `result.stateRoot` leaves out what was written before the block and never flushed to the
 * trie. Whoever asks for a root in between heals that, so it is a question of its own, off by default.
 */
const withUnflushedWrites = process.env.RANDOM_UNFLUSHED === '1'

function worldOf(
  hardfork: fc.Arbitrary<string>,
  block: fc.Arbitrary<BlockPlan>,
  statements: fc.Arbitrary<Statement> = statement,
): fc.Arbitrary<WorldPlan> {
  return fc.record({
    hardfork: onlyHardfork === undefined ? hardfork : fc.constant(onlyHardfork),
    customChain: oneIn(5),
    caches: oneIn(8).map((without) => !without),
    watchEvents: oneIn(5),
    meddle: fc.constantFrom(
      'never' as const,
      'never' as const,
      'flushed' as const,
      ...(withUnflushedWrites ? (['unflushed'] as const) : []),
    ),
    programs: fc.array(fc.array(statements, { minLength: 1, maxLength: 8, size: 'max' }), {
      minLength: 4,
      maxLength: 4,
    }),
    blocks: fc.oneof(
      { arbitrary: fc.tuple(block), weight: 3 },
      { arbitrary: fc.tuple(block, block), weight: 1 },
    ),
  })
}

export const worldPlan: fc.Arbitrary<WorldPlan> = fc.oneof(
  { arbitrary: worldOf(fc.oneof(...hardforks), blockOf(themes)), weight: 7 },
  {
    arbitrary: worldOf(fc.constantFrom('prague', 'osaka', 'amsterdam'), blockOf(delegationThemes)),
    weight: 1,
  },
  {
    arbitrary: worldOf(
      fc.constantFrom('cancun', 'prague', 'amsterdam'),
      blockOf(watchfulThemes),
      watchful,
    ),
    weight: 1,
  },
)
