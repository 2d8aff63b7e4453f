// A small chain that predicts, runs and learns: stock executes, and each transaction's prediction is
// compared with what it really touched. Authority on how the tests of access prediction measure.
import { Block, createBlockHeader } from '@ethereumjs/block'
import { Common, Mainnet } from '@ethereumjs/common'
import { createFeeMarket1559Tx } from '@ethereumjs/tx'
import { Address, createAddressFromString, type PrefixedHexString } from '@ethereumjs/util'
import { createVM, runTx, type VM } from '@ethereumjs/vm'

import { predictEnvelope } from '../../src/access/envelope.ts'
import { LocationSet, type TouchedLocation } from '../../src/access/location-set.ts'
import { type PredictionScore, scorePrediction } from '../../src/access/prediction-score.ts'
import { NO_CODE } from '../../src/access/prediction-walk.ts'
import { type Coverage, TemplateLibrary } from '../../src/access/template-library.ts'
import { factsOf, type TransactionFacts } from '../../src/access/transaction-facts.ts'
import {
  type RecordedTransaction,
  RecordingKeccak,
  RecordingStateManager,
  recordTransactions,
} from './access-recorder.ts'
import { type Actor, actors, ether } from './random-world.ts'
import { type AccountRecords, buildStateTemplate } from './state-template.ts'

export interface Call {
  readonly from: Actor
  readonly to: PrefixedHexString
  readonly data?: Uint8Array
  readonly value?: bigint
}

export interface Compared extends PredictionScore {
  readonly coverage: Coverage
  /** What was touched and not predicted, and the other way round. */
  readonly missing: string[]
  readonly surplus: string[]
  readonly recorded: RecordedTransaction
}

const coinbase = createAddressFromString(`0x${'c0'.repeat(20)}`)

export class LearningWorld {
  readonly library: TemplateLibrary
  readonly #vm: VM
  readonly #recorded: RecordedTransaction[]
  readonly #nonces = new Map<Actor, bigint>()
  readonly #keccak: (bytes: Uint8Array) => Uint8Array

  private constructor(vm: VM, crypto: RecordingKeccak) {
    this.#vm = vm
    this.#keccak = crypto.keccak256
    this.library = new TemplateLibrary(crypto.keccak256)
    this.#recorded = recordTransactions(vm, crypto, coinbase.bytes)
  }

  static async create(accounts: AccountRecords): Promise<LearningWorld> {
    const crypto = new RecordingKeccak()
    const common = new Common({
      chain: Mainnet,
      hardfork: 'prague',
      customCrypto: { keccak256: crypto.keccak256 },
    })
    const rich = actors.map(
      ({ address }) => [address.toString(), { balance: 100n * ether }] as const,
    )
    const template = await buildStateTemplate(common, {
      ...Object.fromEntries(rich),
      [coinbase.toString()]: { balance: 1n },
      ...accounts,
    })
    const stateManager = template.copy(common, true, RecordingStateManager)
    return new LearningWorld(await createVM({ common, stateManager }), crypto)
  }

  /** Predicts, runs and compares; a call that fails is an error of the test. Does not learn. */
  async compare(call: Call): Promise<Compared> {
    const tx = this.#sign(call)
    const facts = factsOf(tx, { coinbase: coinbase.bytes, sender: call.from.address.bytes })
    const predicted = new LocationSet()
    const coverage = await this.#predict(facts, predicted)
    const header = createBlockHeader(
      { number: 20n, coinbase, gasLimit: 30_000_000n, baseFeePerGas: 7n },
      { common: this.#vm.common },
    )
    const block = new Block(header, [], [], undefined, { common: this.#vm.common })
    const { execResult } = await runTx(this.#vm, { tx, block })
    if (execResult.exceptionError !== undefined) throw new Error(execResult.exceptionError.error)
    const recorded = this.#recorded.pop()!
    const actual = new LocationSet()
    for (const { field, address, key, kind } of recorded.observation.accesses) {
      actual.add(field, address, key, kind)
    }
    return {
      ...scorePrediction(predicted, actual),
      coverage,
      missing: difference(actual, predicted),
      surplus: difference(predicted, actual),
      recorded,
    }
  }

  /** Predicts, runs, compares and learns. */
  async learn(call: Call): Promise<Compared> {
    const compared = await this.compare(call)
    const { facts, codeHash, observation } = compared.recorded
    if (codeHash !== undefined) this.library.observe(facts, codeHash, observation)
    return compared
  }

  /** As an executor does: what the templates ask for is loaded, and they are asked again. */
  async #predict(facts: TransactionFacts, predicted: LocationSet): Promise<Coverage> {
    predictEnvelope(facts, this.#keccak, predicted)
    const known = new KnownState(this.#vm)
    const codeHash = facts.to === undefined ? NO_CODE : await known.loadCodeHash(facts.to)
    if (codeHash.length === 0) return 'none'
    for (;;) {
      const coverage = this.library.predict(
        facts,
        codeHash,
        predicted,
        known.loadSlot,
        known.codeHashOf,
      )
      if (!(await known.loadAsked())) return coverage
      expectPartial(coverage)
    }
  }

  #sign({ from, to, data, value }: Call) {
    const nonce = this.#nonces.get(from) ?? 0n
    this.#nonces.set(from, nonce + 1n)
    const tx = createFeeMarket1559Tx(
      {
        nonce,
        to: createAddressFromString(to),
        data: data ?? new Uint8Array(0),
        value: value ?? 0n,
        gasLimit: 1_000_000n,
        maxFeePerGas: 10n,
        maxPriorityFeePerGas: 2n,
      },
      { common: this.#vm.common },
    ).sign(from.privateKey)
    tx.cache.senderPubKey = from.publicKey
    return tx
  }
}

function expectPartial(coverage: Coverage): void {
  if (coverage !== 'partial') throw new Error(`something was asked for, but it is ${coverage}`)
}

/** State that is known once it was asked for and loaded. */
class KnownState {
  readonly #vm: VM
  readonly #known = new Map<string, Uint8Array>()
  #asked: (() => Promise<unknown>)[] = []

  constructor(vm: VM) {
    this.#vm = vm
  }

  readonly loadSlot = (address: Uint8Array, key: Uint8Array): Uint8Array | undefined => {
    const value = this.#known.get(nameOf(address, key))
    const [account, slot] = [new Address(address.slice()), key.slice()]
    if (value === undefined) {
      this.#asked.push(async () => {
        const loaded = await this.#vm.stateManager.getStorage(account, slot)
        this.#known.set(nameOf(account.bytes, slot), loaded)
      })
    }
    return value
  }

  readonly codeHashOf = (address: Uint8Array): Uint8Array | undefined => {
    const hash = this.#known.get(nameOf(address, NO_CODE))
    const account = address.slice()
    if (hash === undefined) this.#asked.push(() => this.loadCodeHash(account))
    return hash
  }

  async loadCodeHash(address: Uint8Array): Promise<Uint8Array> {
    const account = await this.#vm.stateManager.getAccount(new Address(address))
    const hash = account?.isContract() ? account.codeHash : NO_CODE
    this.#known.set(nameOf(address, NO_CODE), hash)
    return hash
  }

  /** Loads what was asked for; false where that was nothing. */
  async loadAsked(): Promise<boolean> {
    const asked = this.#asked
    this.#asked = []
    for (const load of asked) await load()
    return asked.length > 0
  }
}

function nameOf(address: Uint8Array, key: Uint8Array): string {
  return `${Buffer.from(address).toString('hex')}/${Buffer.from(key).toString('hex')}`
}

function difference(one: LocationSet, other: LocationSet): string[] {
  return [...one]
    .filter(({ field, address, key }) => other.find(field, address, key) === -1)
    .map(describe)
}

function describe({ field, address, key, kind }: TouchedLocation): string {
  const slot = key === undefined ? '' : `/${Buffer.from(key).toString('hex')}`
  return `${kind} ${field} ${Buffer.from(address).toString('hex')}${slot}`
}
