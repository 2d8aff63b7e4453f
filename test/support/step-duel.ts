// Runs bytecode twice on stock's EVM, once with stock's stepping and once with ours, and tells all that
// came of it as plain values. Authority on what counts as equal; must not soften either side.
import {
  type Common,
  createCustomCommon,
  Mainnet,
  type StateManagerInterface,
} from '@ethereumjs/common'
import { createEVM, type EVM, type EVMOpts } from '@ethereumjs/evm'
import { Caches, MerkleStateManager, SimpleStateManager } from '@ethereumjs/statemanager'
import { Account, Address, bytesToHex } from '@ethereumjs/util'
import { steppedRun } from '../../src/execution/stepping.ts'
import {
  findStockInterpreter,
  type InterpreterPrototype,
  type StockInterpreter,
} from '../../src/execution/stock-interpreter.ts'
import { OverlayWorld } from './overlay-world.ts'

export interface DuelCase {
  readonly hardfork: string
  /** Contracts from {@link contractAt}(0) on; the first is called. */
  readonly codes: readonly Uint8Array[]
  readonly data?: Uint8Array
  readonly gasLimit: bigint
  readonly value?: bigint
  readonly isStatic?: boolean
  readonly evmOptions?: Partial<EVMOpts>
  /** On a worker's state manager instead of stock's: then reads are compared by what was recorded. */
  readonly isOnOverlay?: boolean
}

/** The address of the contract `index`. */
export function contractAt(index: number): Address {
  return new Address(Uint8Array.from({ length: 20 }, (_, i) => (i === 19 ? index + 1 : 0xc0)))
}

export class StepDuel {
  readonly stock: StockInterpreter
  readonly #stockRun: InterpreterPrototype['run']
  readonly #ourRun: InterpreterPrototype['run']
  /** Calls of stock's `runStep` in the last run. */
  stockSteps = 0

  private constructor(stock: StockInterpreter) {
    this.stock = stock
    this.#stockRun = stock.prototype.run
    this.#ourRun = steppedRun(this.#stockRun)
  }

  static async create(): Promise<StepDuel> {
    return new StepDuel(await findStockInterpreter())
  }

  /** What comes of `duel` with stock's stepping, and with ours. */
  async both(duel: DuelCase): Promise<{ stock: unknown; ours: unknown }> {
    return { stock: await this.run(duel, false), ours: await this.run(duel, true) }
  }

  async run(duel: DuelCase, isOurs: boolean): Promise<unknown> {
    const { prototype } = this.stock
    const { runStep } = prototype
    this.stockSteps = 0
    const count = (): void => {
      this.stockSteps++
    }
    prototype.run = isOurs ? this.#ourRun : this.#stockRun
    prototype.runStep = function (entry) {
      count()
      return runStep.call(this, entry)
    }
    try {
      return await outcome(duel)
    } finally {
      prototype.run = this.#stockRun
      prototype.runStep = runStep
    }
  }
}

async function outcome(duel: DuelCase): Promise<unknown> {
  const common = createCustomCommon({ chainId: 1 }, Mainnet, { hardfork: duel.hardfork })
  const accesses: string[] = []
  const world = duel.isOnOverlay === true ? await overlayWorld(common, duel.codes) : undefined
  const evm = (await createEVM({
    common,
    stateManager: world?.overlay ?? (await preparedState(common, duel.codes, accesses)),
    ...duel.evmOptions,
  })) as EVM
  let result: Awaited<ReturnType<EVM['runCall']>>
  try {
    result = await evm.runCall({
      caller: new Address(new Uint8Array(20).fill(0xca)),
      to: contractAt(0),
      data: duel.data ?? new Uint8Array(0),
      gasLimit: duel.gasLimit,
      value: duel.value ?? 0n,
      isStatic: duel.isStatic ?? false,
    })
  } catch (error) {
    return { thrown: String(error), accesses }
  }
  const { runState, exceptionError, ...rest } = result.execResult
  const frame = runState as unknown as Frame | undefined
  return {
    ...rest,
    exceptionError: exceptionError?.error,
    ...(frame === undefined ? {} : frameValues(frame)),
    accesses,
    readWords: world?.readWords,
  }
}

interface Frame {
  stack: { getStack(): bigint[] }
  memory: { _store: Uint8Array }
  memoryWordCount: bigint
  highestMemCost: bigint
  gasLeft: bigint
  programCounter: number
  returnBytes: Uint8Array
}

/**
 * The outermost frame's state. Not the opcode: for a byte that is none, stock leaves the byte before the
 * first jump and INVALID after it. Not what its analysis left either, which is not shared here.
 */
function frameValues(frame: Frame): object {
  const { memoryWordCount, highestMemCost, gasLeft, programCounter } = frame
  return {
    stack: frame.stack.getStack(),
    memory: unpadded(frame.memory._store),
    memoryWordCount,
    highestMemCost,
    gasLeft,
    programCounter,
    returnBytes: frame.returnBytes,
  }
}

/** As hex, without zeros at the end, with the length. */
function unpadded(bytes: Uint8Array): string {
  return `${bytes.length}: ${bytesToHex(bytes).replace(/0+$/, '')}`
}

/** The contracts with ether and some storage; `accesses` gets every call of the manager from then on. */
async function preparedState(
  common: Common,
  codes: readonly Uint8Array[],
  accesses: string[],
): Promise<SimpleStateManager> {
  const manager = new SimpleStateManager({ common })
  await prepare(manager, codes)
  return new Proxy(manager, {
    get: (target, name) => {
      const value: unknown = Reflect.get(target, name)
      if (typeof value !== 'function') return value
      return (...args: unknown[]) => {
        accesses.push(`${String(name)} ${args.map(describe).join(' ')}`)
        return value.apply(target, args) as unknown
      }
    },
  })
}

/** The same on the state manager of a worker; nothing of the state was read before. */
async function overlayWorld(common: Common, codes: readonly Uint8Array[]): Promise<OverlayWorld> {
  const base = new MerkleStateManager({ common, caches: new Caches() })
  await base.checkpoint()
  await prepare(base, codes)
  await base.commit()
  return new OverlayWorld(base, 1)
}

async function prepare(
  manager: StateManagerInterface,
  codes: readonly Uint8Array[],
): Promise<void> {
  for (const [index, code] of codes.entries()) {
    const address = contractAt(index)
    await manager.putAccount(address, new Account(1n, 1000n))
    await manager.putCode(address, code)
    await manager.putStorage(address, new Uint8Array(32), Uint8Array.of(7))
  }
}

function describe(value: unknown): string {
  if (value instanceof Uint8Array) return bytesToHex(value)
  if (value instanceof Address) return value.toString()
  if (value instanceof Account)
    return `${value.nonce} ${value.balance} ${bytesToHex(value.codeHash)}`
  return String(value)
}
