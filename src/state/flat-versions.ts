// The states that a flat state can go back to: each but the present one as its differences from another.
// Authority on the way from one state to another. Every version leads, over `next`, to the present one;
// going to a version turns the way around (Baker's rerooting of persistent arrays).

import { internalError } from '../errors.ts'
import { hexOf } from './hex.ts'

/** A state that was committed. What nobody refers to any more is collected. */
export interface Version {
  /** Unknown until somebody asks for it. */
  root: Uint8Array | undefined
  /** Entries of a `FlatLog` that lead here from `next`; none at the present version. */
  delta: Int32Array | undefined
  next: Version | undefined
}

export function newVersion(root?: Uint8Array): Version {
  return { root, delta: undefined, next: undefined }
}

/** The versions from `from`, which comes first, to the present one. */
export function wayFrom(from: Version): Version[] {
  const way: Version[] = []
  for (let at: Version | undefined = from; at !== undefined; at = at.next) way.push(at)
  return way
}

/** Lets `next` take the place of `present`, from which `delta` leads back. */
export function advance(present: Version, next: Version, delta: Int32Array): void {
  present.delta = delta
  present.next = next
}

/** Turns the step from `version` to the present one around, once the entries were exchanged. */
export function turn(version: Version): void {
  const { next, delta } = version
  if (next === undefined || delta === undefined) throw internalError('a step that leads nowhere')
  next.next = version
  next.delta = delta
  version.next = undefined
  version.delta = undefined
}

/** Something for each of the last so many roots. */
export class KeptRoots<T> {
  readonly limit: number
  readonly #byRoot = new Map<string, T>()

  constructor(limit: number) {
    this.limit = limit
  }

  find(root: Uint8Array): T | undefined {
    return this.#byRoot.get(hexOf(root))
  }

  forget(root: Uint8Array): void {
    this.#byRoot.delete(hexOf(root))
  }

  /** Keeps `value` for `root`, as the newest. */
  keep(root: Uint8Array, value: T): void {
    const name = hexOf(root)
    this.#byRoot.delete(name)
    this.#byRoot.set(name, value)
    if (this.#byRoot.size <= this.limit) return
    for (const oldest of this.#byRoot.keys()) {
      this.#byRoot.delete(oldest)
      return
    }
  }

  /** Another one that keeps the same; what either keeps from then on is its own. */
  copy(): KeptRoots<T> {
    const copy = new KeptRoots<T>(this.limit)
    for (const [name, value] of this.#byRoot) copy.#byRoot.set(name, value)
    return copy
  }

  /** Forgets all; returns a function that brings them back instead of what is kept by then. */
  clear(): () => void {
    const before = [...this.#byRoot]
    this.#byRoot.clear()
    return () => {
      this.#byRoot.clear()
      for (const [name, value] of before) this.#byRoot.set(name, value)
    }
  }
}
