// Gives an action of a plan its meaning: a signed transaction for the state as it is at that point.
// Authority on kinds, fees, access lists and delegations of random transactions.
// It must not run anything; whether the transaction is valid shows when the block is built.
import type { Common } from '@ethereumjs/common'
import { createTx, type TypedTransaction } from '@ethereumjs/tx'
import {
  type Address,
  bytesToHex,
  concatBytes,
  eoaCode7702SignAuthorization,
  type PrefixedHexString,
} from '@ethereumjs/util'
import type { VM } from '@ethereumjs/vm'

import { deployer } from './assembler.ts'
import type { Action, breakages } from './random-plan.ts'
import { compileProgram, initCodes, type Statement } from './random-program.ts'
import {
  type Actor,
  actors,
  actorWithCode,
  addressAt,
  addressWord,
  contracts,
  ether,
  numberWord,
} from './random-world.ts'
import { signed } from './signed.ts'

export interface TransactionContext {
  readonly vm: VM
  readonly common: Common
  readonly coinbase: Address
  readonly baseFee: bigint
  readonly programs: readonly (readonly Statement[])[]
  readonly blockGasLimit: bigint
  readonly skipNonce: boolean
}

type Breakage = (typeof breakages)[number]

interface Fields {
  to?: Address
  value: bigint
  data: Uint8Array
  extraGas: bigint
  authorizationList?: ReturnType<typeof eoaCode7702SignAuthorization>[]
}

/** Mostly plenty; a call that runs out of gas teaches less than one that does something. */
const extraGasChoices = [
  ...[400_000n, 120_000n, 900_000n, 200_000n, 400_000n, 300_000n],
  ...[200_000n, 400_000n, 600_000n, 30_000n, 70_000n, 2_300n],
]

export async function makeTransaction(
  action: Action,
  context: TransactionContext,
  broken: Breakage | undefined,
): Promise<TypedTransaction> {
  const sender = senderOf(action, broken)
  const nonce = await nonceOf(context.vm, sender.address)
  const fees = feesOf(action, context, broken)
  const fields = await fieldsOf(action, context, sender, fees.highest)
  const draft = {
    ...fees.data,
    nonce: changeNonce(nonce, action, context, broken),
    to: fields.to,
    data: fields.data,
    value: broken === 'tooPoor' ? 10n ** 6n * ether : fields.value,
    gasLimit: context.blockGasLimit,
    ...(fees.data.type === 0 ? {} : { accessList: accessListOf(action, context) }),
    ...(fields.authorizationList === undefined
      ? {}
      : { authorizationList: fields.authorizationList }),
    ...blobsOf(action, context, fees.data.type, fields.to),
  }
  const options = { common: context.common }
  const intrinsic = createTx(draft, options).getIntrinsicGas()
  const gasLimit =
    broken === 'intrinsicGas'
      ? intrinsic - 1n
      : broken === 'blockGas'
        ? context.blockGasLimit
        : intrinsic + fields.extraGas + reserveOf(action, context)
  const tx = signed(createTx({ ...draft, gasLimit }, options), sender.privateKey)
  // Spares every run the recovery, which would take most of the time; some blocks do without.
  tx.cache.senderPubKey = sender.publicKey
  return tx
}

/** EIP-8037: gas beyond the cap of EIP-7825 pays for new state only. */
function reserveOf(action: Action, { common }: TransactionContext): bigint {
  return common.isActivatedEIP(8037) && action.gas % 8 === 7 ? 18_000_000n : 0n
}

function senderOf(action: Action, broken: Breakage | undefined): Actor {
  if (broken === 'senderWithCode') return actors[actorWithCode]!
  // A third of all transactions come from the first two: chains of one sender are the point.
  const index = action.sender % 15 < 5 ? action.sender % 2 : action.sender % actorWithCode
  return actors[index]!
}

async function nonceOf(vm: VM, address: Address): Promise<bigint> {
  return (await vm.stateManager.getAccount(address))?.nonce ?? 0n
}

function changeNonce(
  nonce: bigint,
  action: Action,
  context: TransactionContext,
  broken: Breakage | undefined,
): bigint {
  if (broken === 'nonceTooHigh') return nonce + 1n + BigInt(action.data % 3)
  if (broken === 'nonceTooLow' && nonce > 0n) return nonce - 1n
  return context.skipNonce && action.data % 4 === 0 ? BigInt(action.data) : nonce
}

/** Zero prices and zero tips are among them: a fee of zero still touches the coinbase. */
function feesOf(action: Action, context: TransactionContext, broken: Breakage | undefined) {
  const { common, baseFee } = context
  const tip = [0n, 1n, 1_000n, 2_000_000_000n][action.fee % 4]!
  const base = common.isActivatedEIP(1559) ? baseFee : 0n
  const price = broken === 'feeUnderBaseFee' && base > 0n ? base - 1n : base + tip
  const delegates = action.kind === 'delegate' && common.isActivatedEIP(7702)
  if (delegates || (common.isActivatedEIP(1559) && action.type % 3 === 2)) {
    const maxPriorityFeePerGas = tip < price ? tip : price
    const maxFeePerGas = broken === 'feeUnderBaseFee' ? price : price + BigInt(action.fee >> 4)
    const data = { type: delegates ? 4 : 2, maxFeePerGas, maxPriorityFeePerGas }
    return { highest: maxFeePerGas, data }
  }
  const type = common.isActivatedEIP(2930) && action.type % 3 === 1 ? 1 : 0
  return { highest: price, data: { type, gasPrice: price } }
}

/** Every so often a fee-market transaction carries blobs (their data is not part of a block). */
function blobsOf(action: Action, { common }: TransactionContext, type: number, to?: Address) {
  if (type !== 2 || !common.isActivatedEIP(4844) || to === undefined || action.data % 4 !== 0) {
    return {}
  }
  const hashes = [1, 2].slice(action.fee % 2).map((last) => {
    const hash = numberWord(last)
    hash[0] = 1
    return bytesToHex(hash)
  })
  return { type: 3, blobVersionedHashes: hashes, maxFeePerBlobGas: 1n + BigInt(action.fee % 3) }
}

function accessListOf(action: Action, { coinbase }: TransactionContext) {
  const places = action.type >> 2
  return Array.from({ length: places % 3 }, (_, index) => ({
    address: addressAt(places + index * 7, coinbase).toString() as PrefixedHexString,
    storageKeys: Array.from({ length: places % 4 }, (_, slot) => bytesToHex(numberWord(slot))),
  }))
}

async function fieldsOf(
  action: Action,
  context: TransactionContext,
  sender: Actor,
  highestFee: bigint,
): Promise<Fields> {
  const { coinbase, common } = context
  const target = addressAt(action.target, coinbase)
  const place = addressAt(action.data, coinbase)
  const value = [0n, 1n, 1_000n, ether / 1_000n, ether / 100n, 0n][action.amount % 6]!
  const scale = common.isActivatedEIP(8037) ? 5n : 1n
  const extraGas = scale * extraGasChoices[action.gas % extraGasChoices.length]!
  const word = action.data % 3 === 0 ? addressWord(place) : numberWord(action.data)
  switch (action.kind) {
    case 'transfer':
      return {
        to: target,
        value,
        data: new Uint8Array(0),
        extraGas: action.gas % 2 === 0 ? 0n : extraGas,
      }
    case 'drain':
      return await drain(context, sender, target, highestFee)
    case 'create':
      return {
        value: action.amount % 2 === 0 ? 0n : value,
        data: initOf(action, context),
        extraGas,
      }
    case 'factory':
      return {
        to: contracts.factory,
        value,
        data: numberWord(action.data % 2),
        extraGas: 400_000n * scale,
      }
    case 'destroyChild': {
      const doomed = [...contracts.children, contracts.killable][action.target % 3]!
      const data = action.amount % 3 === 0 ? new Uint8Array(0) : addressWord(place)
      return { to: doomed, value: action.amount % 2 === 0 ? 0n : 5n, data, extraGas }
    }
    case 'readPlace': {
      const seen = [...contracts.children, contracts.killable, place][action.data % 4]!
      return {
        to: contracts.reader,
        value: 0n,
        data: addressWord(seen),
        extraGas: 300_000n * scale,
      }
    }
    case 'proxy':
      return { to: contracts.proxy, value, data: concatBytes(addressWord(target), word), extraGas }
    case 'delegate':
      if (!common.isActivatedEIP(7702)) break
      return {
        to: action.amount % 2 === 0 ? actors[8 + ((action.amount % 4) >> 1)]!.address : target,
        value,
        data: action.amount % 3 === 0 ? new Uint8Array(0) : word,
        extraGas,
        authorizationList: await authorizationsOf(action, context, sender),
      }
    case 'callHot':
      return { to: contracts.hot[action.target % 4]!, value: value % 2n, data: word, extraGas }
    case 'call':
      break
  }
  const data = action.amount % 4 === 0 ? new Uint8Array(0) : word
  return { to: target, value: action.amount % 2 === 0 ? 0n : value, data, extraGas }
}

/** Sends everything: valid only on exactly the state that the transactions before it leave. */
async function drain(
  { vm, common }: TransactionContext,
  sender: Actor,
  to: Address,
  highestFee: bigint,
): Promise<Fields> {
  const balance = (await vm.stateManager.getAccount(sender.address))?.balance ?? 0n
  const gas = createTx({ to, value: 1n, gasLimit: 100_000n }, { common }).getIntrinsicGas()
  const left = balance - gas * highestFee
  return { to, value: left > 0n ? left : 0n, data: new Uint8Array(0), extraGas: 0n }
}

function initOf(action: Action, context: TransactionContext): Uint8Array {
  const choice = action.target % (initCodes.length + 8)
  const program = compileProgram(context.programs[choice % context.programs.length]!, context)
  if (choice < initCodes.length) return initCodes[choice]!
  return choice % 2 === 0 ? program : deployer(program)
}

/** One to three authorizations; some repeat an authority, name the sender, or are invalid. */
async function authorizationsOf(action: Action, context: TransactionContext, sender: Actor) {
  const bumped = new Map<Actor, bigint>([[sender, 1n]])
  const list = []
  for (let index = 0; index < 1 + (action.target % 3); index++) {
    const seed = action.data + index * 5 + action.fee
    const authority = [actors[8]!, actors[9]!, sender, actors[seed % actorWithCode]!][seed % 4]!
    const delegate = [
      ...contracts.hot,
      contracts.creator,
      contracts.counter,
      undefined,
      actors[8]!.address,
      contracts.killable,
      contracts.reader,
    ][(seed >> 2) % 10]
    const isValid = seed % 7 !== 0
    const already = bumped.get(authority) ?? 0n
    const nonce = (await nonceOf(context.vm, authority.address)) + already + (isValid ? 0n : 1n)
    if (isValid) bumped.set(authority, already + 1n)
    const chainId = [0n, context.common.chainId(), 999n][seed % 11 === 0 ? 2 : seed % 2]!
    list.push(
      eoaCode7702SignAuthorization(
        {
          chainId: `0x${chainId.toString(16)}`,
          address: (delegate?.toString() ?? `0x${'00'.repeat(20)}`) as PrefixedHexString,
          nonce: `0x${nonce.toString(16)}`,
        },
        authority.privateKey,
      ),
    )
  }
  return list
}
