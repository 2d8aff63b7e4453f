// Blocks that are run before their state root is known (option `pipeline`), and those that follow them.
// Authority on what becomes of both if the root is another than the header says. One root at most is out:
// a block that follows writes nothing before it is known.

import type { Block } from '@ethereumjs/block'
import { bytesToUnprefixedHex, equalsBytes } from '@ethereumjs/util'
import type { VM } from '@ethereumjs/vm'
import { ParallelError } from '../errors.ts'
import type { FlatData } from '../state/flat-data.ts'
import { committedDataOf } from '../state/flat-state.ts'
import type { Version } from '../state/flat-versions.ts'
import type { WorkerPool } from '../workers/pool.ts'
import { blockErrors, wrongStateRoot } from './header-checks.ts'
import { hashOnWorkers } from './shared-root.ts'

/** Refused blocks that are remembered for each state manager, so that their children are known. */
const MOST_REFUSED = 64

/** What a block that follows has to do. */
export interface ParentRoot {
  /** Resolves when the root of the block before is right. @throws ParallelError `PARENT_REFUSED` */
  check(): Promise<void>
}

/** The blocks of one state manager. */
interface Line {
  /** The root that is out. */
  pending: Promise<Uint8Array> | undefined
  /** Blocks that were refused after they had ended, and those that followed them, with the first reason. */
  readonly refused: Map<string, unknown>
}

const lines = new WeakMap<object, Line>()

/** The version of a flat state that a block is run on, if it can be gone back to. */
export function versionOf(manager: object): Version | undefined {
  const data = committedDataOf(manager)
  return data?.versionAt(data.mark())
}

/**
 * Lets the root of a block that is in the state be taken while the caller goes on, and goes back to `before`
 * if it is wrong or cannot be taken. Resolves with the root. @throws (later) stock's error for a wrong root
 */
export function takeRootLater(
  vm: VM,
  block: Block,
  flat: FlatData,
  before: Version,
  pool: WorkerPool,
): Promise<Uint8Array> {
  const line = lineOf(vm.stateManager)
  // Made now: the rules of the VM may be those of another block by then.
  const errorOf = blockErrors(vm, block)
  const name = nameOf(block)
  const want = block.header.stateRoot
  const { promise: ready, resolve, reject } = Promise.withResolvers<Uint8Array>()
  // Who does not look at it is told by the blocks that follow, and by the state.
  ready.catch(() => {})
  let failure: { error: unknown } | undefined
  const refuse = (error: unknown): void => {
    failure ??= { error }
    line.pending = undefined
    remember(line, name, failure.error)
    reject(failure.error)
  }
  flat.postponeRoot((root) => {
    try {
      if (failure !== undefined) throw failure.error
      if (!equalsBytes(root, want)) throw errorOf(wrongStateRoot(root, want))
      flat.committed()
      line.pending = undefined
      resolve(root.slice())
    } catch (error) {
      refuse(error)
      flat.goBack(before)
    }
  })
  line.pending = ready
  const hashing: Promise<void> = hashOnWorkers(flat, pool, false)
    .then(() => {}, refuse)
    .then(() => {
      if (flat.hashing === hashing) flat.hashing = undefined
    })
  flat.hashing = hashing
  return ready
}

/**
 * The block before, as far as `block` depends on it: it may have begun before that one's root was known.
 * @throws ParallelError `PARENT_REFUSED` if it names a refused block as its parent
 */
export function parentRootOf(manager: object, block: Block): ParentRoot | undefined {
  const line = lines.get(manager)
  if (line === undefined) return undefined
  const { pending, refused } = line
  // It is tried again: what failed may not have been its own fault.
  if (refused.size > 0) refused.delete(nameOf(block))
  if (pending === undefined) {
    const parent = bytesToUnprefixedHex(block.header.parentHash)
    if (refused.has(parent)) throw refusal(line, block, refused.get(parent))
    return undefined
  }
  return {
    check: async () => {
      try {
        await pending
      } catch (error) {
        throw refusal(line, block, error)
      }
    },
  }
}

/** The same for a block that is to be built on `parent`: waits for the root that is out, if one is. */
export async function checkParent(manager: object, parent: Block): Promise<void> {
  const line = lines.get(manager)
  if (line === undefined) return
  await line.pending?.catch(() => {})
  const name = nameOf(parent)
  if (line.refused.has(name)) throw parentRefused(line.refused.get(name))
}

function lineOf(manager: object): Line {
  let line = lines.get(manager)
  if (line === undefined) {
    line = { pending: undefined, refused: new Map() }
    lines.set(manager, line)
  }
  return line
}

function refusal(line: Line, block: Block, cause: unknown): ParallelError {
  remember(line, nameOf(block), cause)
  return parentRefused(cause)
}

function parentRefused(cause: unknown): ParallelError {
  const message = 'The block before was refused after it had ended; the state is the one before it'
  return new ParallelError('PARENT_REFUSED', message, { cause })
}

function remember({ refused }: Line, name: string, cause: unknown): void {
  refused.set(name, cause)
  if (refused.size <= MOST_REFUSED) return
  for (const oldest of refused.keys()) {
    refused.delete(oldest)
    return
  }
}

function nameOf(block: Block): string {
  return bytesToUnprefixedHex(block.hash())
}
