// Decides whether a block can run in parallel, and says why not. Authority on what stock features need
// the calling thread. When in doubt, sequential: a speed-up that costs one wrong bit is a bug.

import { type Block, BlockHeader } from '@ethereumjs/block'
import { type Common, ConsensusType, type CustomCrypto, Hardfork } from '@ethereumjs/common'
import {
  type CustomPrecompile,
  EVM,
  type EVMOpts,
  getActivePrecompiles,
  NobleBLS,
  NobleBN254,
} from '@ethereumjs/evm'
import {
  AccessList2930Tx,
  Blob4844Tx,
  EOACode7702Tx,
  FeeMarket1559Tx,
  LegacyTx,
  type TypedTransaction,
} from '@ethereumjs/tx'
import type { RunBlockOpts, VM } from '@ethereumjs/vm'
import { canCross, encodeCommon } from '../execution/chain-data.ts'
import {
  type FunctionOptions,
  functionParts,
  isForAllContracts,
} from '../execution/function-options.ts'
import { isUnmodified } from '../state/unmodified.ts'
import { hasOwnOpcodes } from './own-opcodes.ts'
import { knowsAll, rulesOf, sameOrigin } from './same-rules.ts'

/** The parts of EVM and VM that are looked at and that their types hide. */
interface EvmInternals {
  _optsCached: {
    customOpcodes?: EVMOpts['customOpcodes']
    customPrecompiles?: CustomPrecompile[]
    cliqueSigner?: EVMOpts['cliqueSigner']
    profiler?: { enabled: boolean }
  }
  _bls?: EVMOpts['bls']
  _bn254?: EVMOpts['bn254']
}
/** What workers have of the user's setup module; undefined where there is none. */
type Setup = ReadonlySet<string> | undefined
interface VmInternals {
  _opts: { profilerOpts?: { reportAfterBlock?: boolean; reportAfterTx?: boolean } }
  _setHardfork: unknown
}

/** EVM events that a listener can only get from the thread that executes. */
const EVM_EVENTS = ['step', 'beforeMessage', 'afterMessage', 'newContract'] as const
/** Methods whose replacement on the instance means that the user watches or changes execution. */
const EVM_METHODS = ['runCall', 'runCode', 'runInterpreter', 'runPrecompile', 'getPrecompile']
/** A sender that somebody has put on a transaction travels with it. */
const SENDER_METHODS = ['getSenderAddress', 'getSenderPublicKey']
/** Without it ethereumjs has its own; without others, such as KZG, a transaction that needs it fails. */
const CHANGING_CRYPTO = ['ecrecover', 'keccak256', 'sha256'].map(
  (name) => `custom crypto (${name})`,
)
const DIFFERENT_RULES = 'VM and EVM have different chain rules'
const MOST_BLOCKS = BigInt(Number.MAX_SAFE_INTEGER)
/** Stock's own: what is written in another class is not known. */
export const TRANSACTION_CLASSES: ReadonlySet<unknown> = new Set([
  LegacyTx,
  AccessList2930Tx,
  FeeMarket1559Tx,
  Blob4844Tx,
  EOACode7702Tx,
])

/** Returns why the block must run on the calling thread, or `undefined` if workers can run it. */
export function whySequential(vm: VM, options: RunBlockOpts, setup: Setup): string | undefined {
  const { block } = options
  const common = commonAtBlock(vm, options)
  // Stock changes the hardfork of the VM's Common alone.
  if (common !== vm.common && vm.evm.common !== vm.common) return DIFFERENT_RULES
  return (
    whyHeader(block) ??
    whyRules(common, block) ??
    whyOptions(vm, options) ??
    whyEvm(vm, setup) ??
    whyTransactions(common, options, setup)
  )
}

function whyHeader({ header }: Block): string | undefined {
  if (!isUnmodified(header, BlockHeader)) return 'the header has methods of its own'
  // Workers tell block hashes by their distance, a double.
  if (header.number > MOST_BLOCKS) return 'the block number is above 2^53'
  return undefined
}

/** vm.common as it will be when transactions run. */
function commonAtBlock(vm: VM, options: RunBlockOpts): Common {
  const setHardfork = options.setHardfork ?? (vm as unknown as VmInternals)._setHardfork
  if (setHardfork !== true) return vm.common
  const { number, timestamp } = options.block.header
  const hardfork = vm.common.getHardforkBy({ blockNumber: number, timestamp })
  if (hardfork === vm.common.hardfork()) return vm.common
  const common = vm.common.copy()
  common.setHardfork(hardfork)
  return common
}

function whyRules(common: Common, block: Block): string | undefined {
  if (!common.gteHardfork(Hardfork.Byzantium)) {
    return 'receipts before Byzantium hold the state root after each transaction'
  }
  for (const eip of [6800, 7864]) {
    if (common.isActivatedEIP(eip)) return `EIP-${eip} binds execution to a witness`
  }
  if (common.consensusType() === ConsensusType.ProofOfAuthority) {
    return 'proof of authority needs the signer function of the calling thread'
  }
  if (block.header.number === common.hardforkBlock(Hardfork.Dao) && block.header.number > 0n) {
    return 'the block applies the DAO fork'
  }
  return undefined
}

function whyOptions(vm: VM, options: RunBlockOpts): string | undefined {
  if (options.reportPreimages === true) return 'preimages are reported by the calling thread'
  const { profilerOpts } = (vm as unknown as VmInternals)._opts
  if (profilerOpts?.reportAfterBlock === true || profilerOpts?.reportAfterTx === true) {
    return 'the VM is profiled'
  }
  return undefined
}

/** The same, as far as it depends on the EVM and on who listens to it. */
export function whyEvm(vm: VM, setup: Setup): string | undefined {
  const { evm } = vm
  if (!(evm instanceof EVM) || evm.constructor !== EVM) return 'the VM has an EVM of its own'
  if (evm.stateManager !== vm.stateManager) return 'VM and EVM have different state managers'
  if (!Object.isExtensible(vm.stateManager)) return 'writes to a frozen state manager go unseen'
  if (
    evm.common !== vm.common &&
    !(sameOrigin(evm.common, vm.common) && knowsAll(vm.common, evm.common)) &&
    encodeCommon(evm.common) !== encodeCommon(vm.common)
  ) {
    return DIFFERENT_RULES
  }
  for (const method of EVM_METHODS) {
    if (Object.hasOwn(evm, method)) return `the EVM's ${method} is replaced`
  }
  for (const event of EVM_EVENTS) {
    if (evm.events.listenerCount(event) > 0) return `the EVM has a listener for "${event}"`
  }
  const internals = evm as unknown as EvmInternals
  const { customOpcodes, customPrecompiles, cliqueSigner, profiler } = internals._optsCached
  if (profiler?.enabled === true) return 'the EVM is profiled'
  if (!hasOwnPrecompiles(evm, customPrecompiles)) return "the EVM's precompiles were edited"
  if (!hasOwnOpcodes(evm)) return "the EVM's opcodes are not those of its chain rules"
  const { _bls, _bn254 } = internals
  const own: FunctionOptions = {
    customOpcodes,
    customPrecompiles,
    cliqueSigner,
    bls: _bls instanceof NobleBLS ? undefined : _bls,
    bn254: _bn254 instanceof NobleBN254 ? undefined : _bn254,
  }
  const parts = functionParts(own)
  const surplus = [...(setup ?? [])].find(
    (part) => isForAllContracts(part) && !parts.includes(part),
  )
  if (surplus !== undefined) return `the workerSetup module gives ${surplus}, which the VM has not`
  return whyLacking(parts, setup)
}

/** Why workers cannot do with what they have, where the VM has `parts`. */
function whyLacking(parts: readonly string[], setup: Setup): string | undefined {
  const lacking = parts.find((part) => setup?.has(part) !== true)
  if (lacking === undefined) return undefined
  return setup === undefined
    ? `the VM has ${lacking}, and no workerSetup module gives it to the workers`
    : `the VM has ${lacking}, which the workerSetup module does not give to the workers`
}

/** The workers' crypto is for all Commons, so one that has ethereumjs' own must not meet it. */
function whySurplus({ customCrypto }: Common, setup: Setup): string | undefined {
  if (setup === undefined) return undefined
  const parts = functionParts({}, customCrypto)
  const surplus = CHANGING_CRYPTO.find((part) => setup.has(part) && !parts.includes(part))
  return surplus === undefined
    ? undefined
    : `the workerSetup module gives ${surplus}, which not every Common of VM and block has`
}

function whyTransactions(common: Common, options: RunBlockOpts, setup: Setup): string | undefined {
  const { block } = options
  const crypto = { ...common.customCrypto, ...block.common.customCrypto }
  const whyCrypto =
    whyLacking(functionParts({}, crypto), setup) ??
    whySurplus(common, setup) ??
    whySurplus(block.common, setup)
  if (whyCrypto !== undefined) return whyCrypto
  const hardfork = block.common.hardfork()
  if (options.skipHardForkValidation !== true && hardfork !== common.hardfork()) {
    return 'block and VM have different hardforks, which stock refuses'
  }
  const whyOne = transactionCheck(hardfork, options.skipHardForkValidation, setup)
  const first = block.transactions[0]
  const isLikeFirst = first === undefined ? undefined : rulesOf(first)
  for (const tx of block.transactions) {
    const why = whyOne(tx)
    if (why !== undefined) return why
    if (isLikeFirst?.(tx) === false) return 'transactions have different chain rules'
  }
  return undefined
}

/** The same, as far as it depends on one transaction, in a block of `hardfork`. */
export function transactionCheck(
  hardfork: string,
  skipHardForkValidation: boolean | undefined,
  setup: Setup,
): (tx: TypedTransaction) => string | undefined {
  let asked: CustomCrypto | undefined
  let whyCrypto: string | undefined
  return (tx) => {
    if (!TRANSACTION_CLASSES.has(tx.constructor)) return 'a transaction is of a class of its own'
    if (!isUnmodified(tx, tx.constructor, SENDER_METHODS)) {
      return 'a transaction has methods of its own'
    }
    if (!canCross(tx)) return 'a transaction notes about itself what stock would not'
    if (!tx.isSigned() && !Object.hasOwn(tx, 'getSenderAddress')) {
      return 'a transaction is not signed, which stock refuses'
    }
    // Copies of a Common have the very same functions.
    if (tx.common.customCrypto !== asked) {
      asked = tx.common.customCrypto
      whyCrypto = whyLacking(functionParts({}, asked), setup) ?? whySurplus(tx.common, setup)
    }
    if (whyCrypto !== undefined) return whyCrypto
    if (skipHardForkValidation !== true && tx.common.hardfork() !== hardfork) {
      // Stock gives it the block's, but only after it has validated the block with the old one.
      return 'a transaction has another hardfork than the block'
    }
    return undefined
  }
}

/** Whether the EVM's table of precompiles is the one that its options give. */
function hasOwnPrecompiles(evm: EVM, customPrecompiles: CustomPrecompile[] | undefined): boolean {
  const given = getActivePrecompiles(evm.common, customPrecompiles)
  if (given.size !== evm.precompiles.size) return false
  for (const [address, precompile] of given) {
    if (evm.precompiles.get(address) !== precompile) return false
  }
  return true
}
