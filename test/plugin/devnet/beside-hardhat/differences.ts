// Where two answers differ, by path; and what may differ between Hardhat's network and a devnet.
// Authority on those exceptions: each says why.
// Must not hide what is not named here.
import { isDeepStrictEqual } from 'node:util'

import type { Answers } from './two-networks.ts'

/** Paths within an answer whose values are not compared. */
const exceptions: readonly RegExp[] = [
  // Their genesis has another state root, so all that follows from hashes of blocks is another one.
  /\.(blockHash|hash|parentHash|stateRoot|size)$/,
  // The names that their debug format has for failures; ours are geth's, as of the other tracers.
  /\.structLogs\.\d+\.error$/,
]

/** In words, one for each value. */
export function differences(
  { ours, theirs }: Answers,
  moreExceptions: readonly RegExp[] = [],
): string[] {
  const found: string[] = []
  compare(ours, theirs, '', [...exceptions, ...moreExceptions], found)
  return found
}

function compare(
  ours: unknown,
  theirs: unknown,
  path: string,
  except: readonly RegExp[],
  found: string[],
): void {
  if (isDeepStrictEqual(ours, theirs) || except.some((each) => each.test(path))) return
  if (isRecord(ours) && isRecord(theirs)) {
    for (const name of new Set([...Object.keys(ours), ...Object.keys(theirs)])) {
      compare(ours[name], theirs[name], `${path}.${name}`, except, found)
    }
  } else {
    const [one, other] = [ours, theirs].map((value) => JSON.stringify(value)?.slice(0, 200))
    found.push(`${path}: ${one} is ${other} on Hardhat's network`)
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}
