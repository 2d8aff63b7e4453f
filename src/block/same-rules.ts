// Whether Commons have the same rules: workers make one of each kind that a block needs.
// Authority on when that needs no comparing of everything. Functions of Commons are eligibility.ts's matter.

import type { Common } from '@ethereumjs/common'
import { paramsTx, type TypedTransaction } from '@ethereumjs/tx'
import { encodeCommon } from '../execution/chain-data.ts'

interface CommonInternals {
  _params: unknown
  _paramsCache: Record<string, unknown>
  _chainParams: unknown
}

/** What anybody asks a transaction's Common for; with a whole block, comparing all would be felt. */
const TRANSACTION_PARAMETERS: readonly string[] = [
  ...new Set(Object.values(paramsTx).flatMap((ofEip) => Object.keys(ofEip))),
]

/** Tells whether workers can make a transaction of the same Common as `first`. */
export function rulesOf(first: TypedTransaction): (tx: TypedTransaction) => boolean {
  const isLikeFirst = originOf(first.common, TRANSACTION_PARAMETERS)
  let rules: string | undefined
  return ({ common }) => {
    if (isLikeFirst(common)) return true
    rules ??= encodeCommon(first.common)
    return encodeCommon(common) === rules
  }
}

/** Whether two Commons have the same rules because they are copies of one: cheaper than comparing all. */
export function sameOrigin(a: Common, b: Common): boolean {
  return originOf(a)(b)
}

/**
 * Tells copies of `common` from others. Their parameters agree where they meet: each part of ethereumjs adds
 * those that it needs to a Common, so that copies made at different times know more or less of them.
 * Default of `names`: all.
 */
function originOf(common: Common, names?: readonly string[]): (other: Common) => boolean {
  const { _params, _chainParams, _paramsCache } = common as unknown as CommonInternals
  const compared = names ?? Object.keys(_paramsCache)
  const values = compared.map((name) => _paramsCache[name])
  const hardfork = common.hardfork()
  const eips = common.eips()
  return (other) => {
    const internals = other as unknown as CommonInternals
    if (internals._params !== _params || internals._chainParams !== _chainParams) return false
    if (other.hardfork() !== hardfork || other.eips() !== eips) return false
    const cache = internals._paramsCache
    if (cache === _paramsCache) return true
    for (let i = 0; i < compared.length; i++) {
      const value = cache[compared[i]]
      if (value !== values[i] && value !== undefined && values[i] !== undefined) return false
    }
    return true
  }
}

/** Whether `whole` has all parameters that `part` has. */
export function knowsAll(whole: Common, part: Common): boolean {
  const [all, some] = [whole, part] as unknown as CommonInternals[]
  for (const name in some._paramsCache) if (!(name in all._paramsCache)) return false
  return true
}
