// Lets a call without value not read the caller's balance, in this thread only.
// Stock's interpreter compares the balance with the value before every call and creation; with value
// zero the comparison cannot fail, yet the look at the balance would make every call depend on every
// payment to the contract. Must not change anything else but when an execution is looked at (see
// gas-patch.ts); not used on the main thread.

import { createCustomCommon, Hardfork, Mainnet } from '@ethereumjs/common'
import { createEVM, type EVMRunCodeOpts } from '@ethereumjs/evm'
import { internalError } from '../errors.ts'
import { type ChargingPrototype, patchCharges } from './gas-patch.ts'
import { LazyAccount } from './lazy-account.ts'

interface InterpreterLike {
  _env: { contract: unknown }
}
interface InterpreterPrototype extends ChargingPrototype {
  _baseCall(
    this: InterpreterLike,
    message: { value: bigint; delegatecall?: boolean },
  ): Promise<bigint>
  create(
    this: InterpreterLike,
    gasLimit: bigint,
    value: bigint,
    ...rest: unknown[]
  ): Promise<bigint>
}

let patched: Promise<void> | undefined

/** Patches the interpreter of this thread's copy of ethereumjs, once. @throws ParallelError INTERNAL */
export function patchInterpreter(): Promise<void> {
  patched ??= patch()
  return patched
}

async function patch(): Promise<void> {
  const prototype = await interpreterPrototype()
  const baseCall = prototype._baseCall
  const create = prototype.create
  if (typeof baseCall !== 'function' || typeof create !== 'function') {
    throw internalError('this version of @ethereumjs/evm has another interpreter')
  }
  patchCharges(prototype)
  prototype._baseCall = function (message) {
    const contract = this._env.contract
    if (
      message.value !== 0n ||
      message.delegatecall === true ||
      !(contract instanceof LazyAccount)
    ) {
      return baseCall.call(this, message)
    }
    // The comparison happens before the method first awaits, that is, before it returns here.
    contract.answerZeroOnce()
    try {
      return baseCall.call(this, message)
    } finally {
      contract.answerTruly()
    }
  }
  prototype.create = function (gasLimit, value, ...rest) {
    const contract = this._env.contract
    if (value !== 0n || !(contract instanceof LazyAccount)) {
      return create.call(this, gasLimit, value, ...rest)
    }
    contract.answerZeroOnce()
    try {
      return create.call(this, gasLimit, value, ...rest)
    } finally {
      contract.answerTruly()
    }
  }
}

/** The class is not exported; an opcode of our own sees an instance of it. */
async function interpreterPrototype(): Promise<InterpreterPrototype> {
  let found: InterpreterPrototype | undefined
  const evm = await createEVM({
    common: createCustomCommon({ chainId: 1 }, Mainnet, { hardfork: Hardfork.Berlin }),
    customOpcodes: [
      {
        opcode: 0x21,
        opcodeName: 'SEEK',
        baseFee: 0,
        logicFunction: (runState: { interpreter: object }) => {
          found = Object.getPrototypeOf(runState.interpreter) as InterpreterPrototype
        },
      },
    ],
  })
  const run: EVMRunCodeOpts = { code: Uint8Array.of(0x21), gasLimit: 100n }
  await evm.runCode(run)
  if (found === undefined) throw internalError('the interpreter could not be found')
  return found
}
