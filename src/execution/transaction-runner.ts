// Runs one incarnation of one transaction: with stock's `runTx` on a lane's own EVM, or without one where it
// is a plain transfer and stock was seen to do the same.
// Authority on what an incarnation leaves behind (versions, sets, result, outcome); does not decide
// when it runs or whether it is right.

import type { Block } from '@ethereumjs/block'
import type { Common } from '@ethereumjs/common'
import {
  type EVM,
  type EVMMockBlockchainInterface,
  type EVMOpts,
  NobleBN254,
} from '@ethereumjs/evm'
import type { TypedTransaction } from '@ethereumjs/tx'
import { type Address, createAddressFromString } from '@ethereumjs/util'
import { createVM, type RunTxResult, runTx, type VM } from '@ethereumjs/vm'
import { keccak_256 } from '@noble/hashes/sha3.js'
import { AccessListRecorder } from '../access/access-list-recorder.ts'
import { ParallelError } from '../errors.ts'
import { BASE_WRITER, type Incarnation, NOTHING, type TxIndex } from '../ids.ts'
import type { AtomicOperations } from '../memory/atomics.ts'
import { BASE, blockHashIndex, CONTROL, HALT, OUTCOME } from '../memory/layout.ts'
import type { RegionAllocator } from '../memory/shared-region.ts'
import { writeSizedBytes } from '../memory/sized-bytes.ts'
import type { LocationTable } from '../mvcc/location-table.ts'
import { ReadSetRecorder } from '../mvcc/read-set.ts'
import { copyRecorded } from '../mvcc/recorded-set.ts'
import type { VersionStore } from '../mvcc/version-store.ts'
import { WriteSetRecorder } from '../mvcc/write-set.ts'
import { AccessListEncoder } from './access-list-codec.ts'
import type { CodeCache } from './code-cache.ts'
import { hasPlainTransfers, isTransferLike, transferDirectly } from './direct-transfer.ts'
import { HaltedError, type RunnerWaits } from './lane-waits.ts'
import { OverlayStateManager } from './overlay-state-manager.ts'
import type { PreimageLog } from './preimage-log.ts'
import { WritePublisher } from './publish-writes.ts'
import { ResultEncoder } from './result-codec.ts'
import { RunTxStateManager } from './run-tx-state-manager.ts'
import { Speculation } from './speculation.ts'
import { StateView } from './state-view.ts'
import { leaveBehind, previousWriteSet, wantsPreimages } from './transaction-words.ts'
import { type TransferTrust, traceOf } from './transfer-trust.ts'
import { WorkerEVM } from './worker-evm.ts'

/** `runBlock`'s options that change how a transaction runs. */
export interface TransactionRules {
  skipBalance: boolean | undefined
  skipNonce: boolean | undefined
  skipHardForkValidation: boolean | undefined
}

/** Everything that the lanes of one worker share for one block. */
export interface BlockContext {
  control: Int32Array
  store: VersionStore
  table: LocationTable
  allocator: RegionAllocator
  codes: CodeCache
  preimages: PreimageLog
  atomics: AtomicOperations
  common: Common
  block: Block
  evmOptions: Partial<EVMOpts>
  hasBls: boolean
  rules: TransactionRules
  transferTrust: TransferTrust
}

export class TransactionRunner {
  readonly #context: BlockContext
  readonly #waits: RunnerWaits
  readonly #reads = new ReadSetRecorder()
  readonly #view: StateView
  readonly #overlay: OverlayStateManager
  readonly #facade: RunTxStateManager
  readonly #publisher: WritePublisher
  /** What the transaction adds to the block's access list, where blocks have one (EIP-7928). */
  readonly #accessList: AccessListRecorder | undefined
  readonly #speculation: Speculation
  readonly #encoder = new ResultEncoder()
  readonly #listEncoder = new AccessListEncoder()
  readonly #hasPlainTransfers: boolean
  #vm: VM | undefined

  constructor(context: BlockContext, waits: RunnerWaits) {
    const { control, store, table, allocator, codes, atomics, common } = context
    this.#context = context
    this.#waits = waits
    this.#view = new StateView(store, this.#reads, waits, codes, atomics)
    this.#overlay = new OverlayStateManager(
      table,
      this.#view,
      common.customCrypto.keccak256 ?? keccak_256,
    )
    if (common.isActivatedEIP(7928)) {
      this.#accessList = new AccessListRecorder((address) =>
        this.#overlay.balanceBefore(createAddressFromString(address)),
      )
    }
    this.#facade = new RunTxStateManager(this.#overlay, this.#accessList)
    this.#publisher = new WritePublisher(store, allocator, new WriteSetRecorder())
    this.#hasPlainTransfers = hasPlainTransfers(common)
    this.#speculation = new Speculation(control, atomics, store, this.#reads, waits)
  }

  /**
   * Executes `transaction` until it has an outcome, waiting for lower transactions where their
   * estimates are in the way, and from the start again where what it read is not so any more.
   * @returns whether it wrote what its previous incarnation did not
   * @throws HaltedError when the block was halted; nothing was published then.
   * @throws ParallelError when shared memory is full.
   */
  async run(
    transaction: TxIndex,
    incarnation: Incarnation,
    tx: TypedTransaction,
  ): Promise<boolean> {
    this.#vm ??= await this.#createVM()
    const vm = this.#vm
    for (;;) {
      let result: RunTxResult | undefined
      let error: unknown
      try {
        result = await this.#transfer(vm, transaction, tx)
        result ??= await this.#runAsStock(vm, transaction, tx)
      } catch (thrown) {
        if (thrown instanceof HaltedError) throw thrown
        if (thrown instanceof ParallelError) throw thrown
        error = thrown
      }
      this.#refuseVoidResult()
      if (this.#speculation.isAbandoned) {
        const head = this.#speculation.givesWayTo
        if (head !== NOTHING) await this.#waits.committed(head)
        continue
      }
      if (this.#view.blockedBy === BASE_WRITER) {
        return this.#leave(transaction, incarnation, result, error)
      }
      await this.#waits.transaction(this.#view.blockedBy)
    }
  }

  #begin(transaction: TxIndex): void {
    this.#overlay.begin(transaction)
    this.#accessList?.begin()
    this.#speculation.begin(transaction)
    const { preimages } = this.#context
    preimages.begin(transaction, wantsPreimages(this.#context, transaction))
  }

  async #runAsStock(vm: VM, transaction: TxIndex, tx: TypedTransaction): Promise<RunTxResult> {
    const { block, rules } = this.#context
    this.#begin(transaction)
    forgetAbandoned(vm)
    this.#facade.begin(tx.getSenderAddress(), block.header.coinbase)
    return runTx(vm, { tx, block, blockGasUsed: 0n, ...rules })
  }

  /** Runs `tx` without the EVM; `undefined` where stock has to. */
  async #transfer(
    vm: VM,
    transaction: TxIndex,
    tx: TypedTransaction,
  ): Promise<RunTxResult | undefined> {
    const { block, common, rules, transferTrust } = this.#context
    if (!this.#hasPlainTransfers || !isTransferLike(tx)) return undefined
    if (rules.skipBalance === true || rules.skipNonce === true) return undefined
    const trust = transferTrust.of(tx.type)
    if (trust === 'refuted') return undefined
    this.#begin(transaction)
    const result = await transferDirectly(tx, block.header, common, this.#overlay, (address) =>
      isPrecompile(vm, address),
    )
    if (result === undefined || trust === 'trusted') return result
    const direct = this.#trace(result)
    const asStock = await this.#runAsStock(vm, transaction, tx)
    // What was abandoned in between is no proof.
    if (!this.#speculation.isAbandoned && this.#view.blockedBy === BASE_WRITER) {
      transferTrust.compare(tx.type, direct, this.#trace(asStock))
    }
    return asStock
  }

  #trace(result: RunTxResult): string {
    return traceOf(this.#encoder.encode(result), this.#overlay)
  }

  /**
   * Stock catches errors around balance changes, ours among them. So whether the incarnation is void
   * is asked of the state that made us throw, and not only of what arrived here.
   */
  #refuseVoidResult(): void {
    const { control, atomics, store } = this.#context
    if (atomics.load(control, CONTROL.HALT) !== HALT.RUNNING) throw new HaltedError()
    if (store.state.exhausted || store.block.exhausted) {
      throw new ParallelError(
        'STORE_FULL',
        'Shared memory is full; raise maxStateMiB or maxBlockMiB',
      )
    }
  }

  /** Answers BLOCKHASH: the main thread is asked for hashes that the block has not used yet. */
  #blockchain(): EVMMockBlockchainInterface {
    const { control, atomics } = this.#context
    const blockchain: EVMMockBlockchainInterface = {
      getBlock: async (number: number) => {
        const distance = Number(this.#context.block.header.number) - number
        const index = blockHashIndex(distance)
        let status = atomics.load(control, index)
        if (status !== BASE.PRESENT && status !== BASE.FAILED) {
          await this.#waits.blockHash(distance)
          status = atomics.load(control, index)
        }
        if (status === BASE.FAILED) throw new Error(`there is no block ${number}`)
        const bytes = new Uint8Array(control.buffer, (index + 1) * 4, 32)
        const hash = new Uint8Array(32)
        hash.set(bytes)
        return { hash: () => hash }
      },
      putBlock: async () => {},
      shallowCopy: () => blockchain,
    }
    return blockchain
  }

  /** Returns whether the incarnation wrote what the one before did not. */
  #leave(
    transaction: TxIndex,
    incarnation: Incarnation,
    result: RunTxResult | undefined,
    error: unknown,
  ): boolean {
    const { allocator } = this.#context
    const { writeSet, wroteElsewhere } = this.#publisher.publish(
      transaction,
      incarnation,
      result === undefined ? undefined : this.#overlay,
      previousWriteSet(this.#context, transaction),
    )
    const readSet = copyRecorded(this.#reads, allocator)
    const encoded =
      result === undefined ? this.#encoder.encodeError(error) : this.#encoder.encode(result)
    leaveBehind(this.#context, transaction, {
      readSet,
      writeSet,
      result: writeSizedBytes(allocator, encoded),
      outcome: result === undefined ? OUTCOME.ERROR : OUTCOME.RESULT,
      preimages: this.#context.preimages.finish(transaction, allocator),
      accessList: result === undefined ? 0 : this.#writeAccessList(),
      blockGas: result?.blockGasSpent ?? 0n,
    })
    return wroteElsewhere
  }

  #writeAccessList(): number {
    if (this.#accessList === undefined) return 0
    const encoded = this.#listEncoder.encode(this.#accessList.finish())
    return writeSizedBytes(this.#context.allocator, encoded)
  }

  async #createVM(): Promise<VM> {
    const { common, evmOptions, hasBls } = this.#context
    const blockchain = this.#blockchain()
    const evm = new WorkerEVM(
      {
        common,
        blockchain,
        stateManager: this.#overlay,
        bn254: new NobleBN254(),
        ...evmOptions,
      },
      this.#speculation,
      () => this.#facade.outermostExecuted(),
      this.#accessList,
    )
    // Stock makes the BLS library when the EVM is made, by the hardfork of that moment.
    if (!hasBls) (evm as unknown as { _bls: undefined })._bls = undefined
    return createVM({ common, blockchain, stateManager: this.#facade, evm })
  }
}

function isPrecompile({ evm }: VM, address: Address): boolean {
  return (evm as unknown as EVM).getPrecompile(address) !== undefined
}

/**
 * Empties what an EVM keeps from call to call. An abandoned incarnation ends in the middle of the EVM,
 * past stock's own cleaning, and its transient storage and journal would show in whatever runs next.
 */
function forgetAbandoned({ evm }: VM): void {
  const { journal, transientStorage } = evm as unknown as {
    journal: { cleanJournal(): void }
    transientStorage: { clear(): void; _indices: number[] }
  }
  journal.cleanJournal()
  transientStorage.clear()
  // Its checkpoints, which clearing leaves: they would grow for ever.
  transientStorage._indices = [0]
}
