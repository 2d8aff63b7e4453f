// What a worker keeps from block to block: views of shared memory, chain rules, EVMs.
// Authority on when a kept thing is void; everything here is private to one thread.

import type { Common } from '@ethereumjs/common'
import type { TypedTransaction } from '@ethereumjs/tx'
import { addressOfPublicKey } from '../crypto/sender-address.ts'
import { decodeBlock, decodeCommon, decodeTransaction } from '../execution/chain-data.ts'
import { CodeCache } from '../execution/code-cache.ts'
import { patchInterpreter } from '../execution/interpreter-patch.ts'
import { PreimageLog } from '../execution/preimage-log.ts'
import { recoverSender } from '../execution/sender-recovery.ts'
import type { BlockContext } from '../execution/transaction-runner.ts'
import { TransferTrust } from '../execution/transfer-trust.ts'
import type { TxIndex } from '../ids.ts'
import { nativeAtomics } from '../memory/atomics.ts'
import { ACCOUNT, CONTROL, NO_SENDER, TRANSACTION, transactionIndex } from '../memory/layout.ts'
import { RegionAllocator, SharedRegion } from '../memory/shared-region.ts'
import { readSizedBytes, writeSizedBytes } from '../memory/sized-bytes.ts'
import { bytesOfWords } from '../memory/word-codec.ts'
import { LocationTable } from '../mvcc/location-table.ts'
import { VersionStore } from '../mvcc/version-store.ts'
import { AdmissionGate } from '../scheduling/admission-gate.ts'
import { BlockStmScheduler } from '../scheduling/block-stm-scheduler.ts'
import { judgeVersions } from '../scheduling/judge-versions.ts'
import { PlannedOrder } from '../scheduling/planned-order.ts'
import { FlatReader } from '../state/flat-table.ts'
import { FlatBases } from './flat-bases.ts'
import { LanePool } from './lane-pool.ts'
import type { BlockTask } from './protocol.ts'
import { UserCodeMarker } from './user-code.ts'
import { customCryptoOf, loadWorkerCrypto, type WorkerCrypto } from './worker-crypto.ts'
import { loadWorkerSetup } from './worker-setup.ts'

/** Everything that {@link runBlockLoop} needs for one block. */
export interface BlockWork {
  context: BlockContext
  scheduler: BlockStmScheduler
  lanes: LanePool
  transaction: (index: TxIndex) => TypedTransaction
  recoverSender: (index: TxIndex) => void
  /** Where base values are found without asking, if anywhere. */
  bases: FlatBases | undefined
  /** A suspended execution goes on. */
  resumed: (index: TxIndex) => void
}

/** Views over one set of buffers. */
interface Memory {
  generation: number
  control: Int32Array
  store: VersionStore
  table: LocationTable
  allocators: RegionAllocator[]
  allocator: RegionAllocator
}

interface Kept {
  memory: Memory
  key: string
  context: BlockContext
  transactionCommon: Common
  lanes: LanePool
}

export class WorkerEnvironment {
  readonly #codes = new CodeCache()
  readonly #preimages = new PreimageLog()
  readonly #userCode = new UserCodeMarker(nativeAtomics)
  #stateGeneration = -1
  #kept: Kept | undefined

  /** Makes ready for `task`, reusing what the blocks before have in common with it. */
  async prepare(task: BlockTask): Promise<BlockWork> {
    const { isStepped } = await patchInterpreter()
    const memory = this.#memory(task)
    if (!isStepped) nativeAtomics.add(memory.control, CONTROL.STOCK_STEPPING, 1)
    this.#userCode.begin(memory.control, task.worker)
    const crypto = await loadWorkerCrypto()
    const kept = await this.#rules(task, memory, crypto)
    const { context } = kept
    context.block = decodeBlock(task.headerRlp, context.block.common)
    context.rules = task.rules
    const scheduler = new BlockStmScheduler(
      memory.control,
      nativeAtomics,
      judgeVersions(memory.control, memory.store, nativeAtomics),
      new PlannedOrder(memory.control, memory.store.block, nativeAtomics),
      AdmissionGate.of(memory.control, memory.store, nativeAtomics),
    )
    this.#preimages.clear()
    const transaction = transactionReader(memory, kept.transactionCommon, crypto)
    return {
      context,
      scheduler,
      lanes: kept.lanes,
      transaction,
      bases: this.#bases(task, memory),
      resumed: (index) => this.#preimages.resume(index),
      recoverSender: (index) =>
        recoverSender(memory.control, nativeAtomics, memory.table, index, transaction(index)),
    }
  }

  #bases({ flat }: BlockTask, { store }: Memory): FlatBases | undefined {
    const reader = flat === undefined ? undefined : FlatReader.over(flat)
    this.#codes.useFlat(reader?.region, flat?.id ?? 0)
    return reader && new FlatBases(reader, store.state, nativeAtomics)
  }

  #memory(task: BlockTask): Memory {
    if (task.stateGeneration !== this.#stateGeneration) {
      this.#stateGeneration = task.stateGeneration
      this.#codes.forgetState()
      for (const allocator of this.#kept?.memory.allocators ?? []) allocator.forget()
    }
    this.#codes.forgetBlock()
    const kept = this.#kept?.memory
    if (kept?.generation === task.memoryGeneration) {
      // The block region was reset since, and the state region's stock stays good.
      kept.allocator.forget()
      return kept
    }
    const state = new SharedRegion(task.state)
    const block = new SharedRegion(task.block)
    const control = new Int32Array(task.control)
    const stateAllocator = new RegionAllocator(state)
    const allocator = new RegionAllocator(block)
    return {
      generation: task.memoryGeneration,
      control,
      store: new VersionStore(control, state, block, allocator, nativeAtomics),
      table: new LocationTable(
        new Int32Array(task.buckets),
        task.seed,
        state,
        stateAllocator,
        nativeAtomics,
      ),
      allocators: [stateAllocator, allocator],
      allocator,
    }
  }

  async #rules(task: BlockTask, memory: Memory, crypto: WorkerCrypto): Promise<Kept> {
    const { vmCommon, blockCommon, transactionCommon, evm } = task
    const key = [vmCommon, blockCommon, transactionCommon, JSON.stringify(evm)].join('\n')
    if (this.#kept?.key === key && this.#kept.memory === memory) return this.#kept

    const setup = await loadWorkerSetup(task.workerSetup)
    const customCrypto = customCryptoOf(crypto, setup.customCrypto, (hash) =>
      this.#preimages.watch(hash),
    )
    const commons = new Map<string, Common>()
    const common = (encoded: string): Common => {
      let decoded = commons.get(encoded)
      if (decoded === undefined) {
        decoded = decodeCommon(encoded, customCrypto)
        commons.set(encoded, decoded)
      }
      return decoded
    }
    const context: BlockContext = {
      control: memory.control,
      store: memory.store,
      table: memory.table,
      allocator: memory.allocator,
      codes: this.#codes,
      preimages: this.#preimages,
      atomics: nativeAtomics,
      common: common(vmCommon),
      block: decodeBlock(task.headerRlp, common(blockCommon)),
      evmOptions: {
        allowUnlimitedContractSize: evm.allowUnlimitedContractSize,
        allowUnlimitedInitCodeSize: evm.allowUnlimitedInitCodeSize,
        ...this.#userCode.mark(setup.evmOpts),
      },
      hasBls: evm.bls,
      rules: task.rules,
      transferTrust: new TransferTrust(),
    }
    this.#kept = {
      memory,
      key,
      context,
      transactionCommon: common(transactionCommon),
      lanes: new LanePool(context),
    }
    return this.#kept
  }
}

/** Decodes a transaction when it is first executed here, and keeps it for further incarnations. */
function transactionReader(
  memory: Memory,
  common: Common,
  { keccak }: WorkerCrypto,
): (index: TxIndex) => TypedTransaction {
  const decoded = new Map<TxIndex, TypedTransaction>()
  return (index) => {
    let tx = decoded.get(index)
    if (tx === undefined) {
      const at = memory.control[transactionIndex(index, TRANSACTION.BYTES)]
      tx = decodeTransaction(
        readSizedBytes(memory.store.block, at),
        common,
        (publicKey) => addressOfPublicKey(publicKey, keccak),
        () => recoveredSender(memory, index),
        (publicKey) => {
          // Published by the sender's record, which is stored after it.
          memory.control[transactionIndex(index, TRANSACTION.PUBLIC_KEY)] = writeSizedBytes(
            memory.allocator,
            publicKey,
          )
        },
        common.customCrypto.keccak256,
      )
      decoded.set(index, tx)
    }
    return tx
  }
}

/** The address of a sender that some worker has recovered already, from its account record. */
function recoveredSender({ control, store }: Memory, index: TxIndex): Uint8Array | undefined {
  const record = nativeAtomics.load(control, transactionIndex(index, TRANSACTION.SENDER))
  if (record === 0 || record === NO_SENDER) return undefined
  return bytesOfWords(store.state.reach(record + ACCOUNT.WORDS), record + ACCOUNT.ADDRESS, 5)
}
