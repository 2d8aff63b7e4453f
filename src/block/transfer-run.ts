// Plain transfers that follow each other in a block being built, done on the calling thread: handing one to
// a worker and taking its result back costs more than the transfer. Authority on when that is the same as
// what stock does: it lets stock do the first of each type and compares. Accounts are held here until
// `flush`; nobody may look at the state before.

import type { BlockHeader } from '@ethereumjs/block'
import type { TypedTransaction } from '@ethereumjs/tx'
import { Account, Address, MAX_INTEGER } from '@ethereumjs/util'
import type { RunTxResult, VM } from '@ethereumjs/vm'
import { addressOfPublicKey } from '../crypto/sender-address.ts'
import {
  arePlainParties,
  hasPlainTransfers,
  isTransferLike,
  type TransferFees,
  transferFees,
  transferResult,
} from '../execution/direct-transfer.ts'
import { ResultEncoder } from '../execution/result-codec.ts'
import { hexOf } from '../state/hex.ts'
import { type Keccak, loadKeccak } from '../state/keccak.ts'

/** After so many that stock had to run, trying here is given up where they are more than one in WORTHWHILE. */
const FEWEST_MISSED = 8
const WORTHWHILE = 8

/** An account as it is after the transfers so far. */
interface Held {
  readonly address: Address
  account: Account | undefined
  isChanged: boolean
}

/** A transfer that stock would do; nothing is changed by it yet. */
interface Transfer {
  readonly tx: TypedTransaction
  readonly fees: TransferFees
  readonly payer: Held
  readonly payee: Held
  readonly coinbase: Held
}

export class TransferRun {
  readonly #vm: VM
  readonly #isOn: boolean
  readonly #held = new Map<string, Held>()
  /** Types of transactions (EIP-2718) that stock did as they are done here. */
  readonly #proven = new Set<number>()
  #header: BlockHeader | undefined
  #keccak: Keccak | undefined
  #done = 0
  #missed = 0

  /** Does nothing where it is not `isOn`. */
  constructor(vm: VM, isOn: boolean) {
    this.#vm = vm
    this.#isOn = isOn && hasPlainTransfers(vm.common)
  }

  /** Whether `tx` may be done here, as far as it tells itself. */
  isCandidate(tx: TypedTransaction): boolean {
    // Calls without data look like transfers; they are better run by the workers.
    const isFutile = this.#missed >= FEWEST_MISSED && this.#missed * WORTHWHILE > this.#done
    return this.#isOn && !isFutile && isTransferLike(tx)
  }

  /** To be called before the first of a run, with the header that its transactions see. */
  async begin(header: BlockHeader): Promise<void> {
    this.#header = header
    this.#keccak ??= await loadKeccak()
    // Stock's next transaction begins with this: accounts touched before may go.
    await this.#vm.evm.journal.cleanup()
  }

  /**
   * Does a candidate whose sender is known, and which stock has not to do first.
   * @returns stock's result, or `undefined`, with nothing done, where stock has to run it
   */
  async run(tx: TypedTransaction): Promise<RunTxResult | undefined> {
    const transfer = this.#proven.has(tx.type) ? await this.#prepare(tx) : undefined
    if (transfer === undefined) return undefined
    this.#done++
    return this.#apply(transfer)
  }

  /**
   * Lets stock run `tx` on the VM's state, and sees whether it comes to what would be done here.
   * @param runAsStock returns `undefined` where stock refused
   * @throws what `runAsStock` and the state manager throw
   */
  async learnFrom(
    tx: TypedTransaction,
    runAsStock: () => Promise<RunTxResult | undefined>,
  ): Promise<void> {
    await this.flush()
    const foreseen = this.#proven.has(tx.type) ? undefined : await this.#prepare(tx)
    // From here on the state is stock's: what was read of it before is no longer so.
    const touched = [...this.#held.values()]
    this.#held.clear()
    if (foreseen === undefined) {
      this.#missed++
      await runAsStock()
      return
    }
    const ours = traceOfAccounts(this.#apply(foreseen), touched)
    const result = await runAsStock()
    if (result === undefined) return
    const found = await Promise.all(touched.map(({ address }) => this.#hold(address)))
    const receipt = { ...result.receipt, cumulativeBlockGasUsed: result.totalGasSpent }
    if (traceOfAccounts({ ...result, receipt }, found) === ours) this.#proven.add(tx.type)
    else this.#missed++
  }

  /** Puts what was done here into the state, which then is as stock leaves it. */
  async flush(): Promise<void> {
    const { evm, common, stateManager } = this.#vm
    for (const { address, account, isChanged } of this.#held.values()) {
      if (isChanged) await stateManager.putAccount(address, account)
    }
    this.#held.clear()
    if (common.isActivatedEIP(2929)) evm.journal.cleanJournal()
    stateManager.originalStorageCache.clear()
  }

  async #prepare(tx: TypedTransaction): Promise<Transfer | undefined> {
    const header = this.#header as BlockHeader
    const fees = transferFees(tx, header, this.#vm.common)
    if (fees === undefined || tx.to === undefined) return undefined
    const sender = this.#senderOf(tx)
    if (sender === undefined) return undefined
    const { coinbase } = header
    if (!arePlainParties(sender, tx.to, coinbase) || this.#isPrecompile(tx.to)) return undefined
    const payer = await this.#hold(sender)
    if (payer.account === undefined || payer.account.isContract()) return undefined
    if (payer.account.nonce !== tx.nonce || payer.account.balance < fees.most) return undefined
    const payee = await this.#hold(tx.to)
    const { account } = payee
    if (account !== undefined) {
      if (account.isContract() || account.balance + tx.value > MAX_INTEGER) return undefined
    }
    const credited = await this.#hold(coinbase)
    if (!canCredit(credited, fees.credit)) return undefined
    return { tx, fees, payer, payee, coinbase: credited }
  }

  #apply({ tx, fees, payer, payee, coinbase }: Transfer): RunTxResult {
    const sender = payer.account as Account
    sender.nonce += 1n
    sender.balance -= fees.paid + tx.value
    payer.isChanged = true
    add(payee, tx.value)
    if (fees.credit > 0n) add(coinbase, fees.credit)
    return transferResult(fees, this.#vm.common)
  }

  async #hold(address: Address): Promise<Held> {
    const name = hexOf(address.bytes)
    let held = this.#held.get(name)
    if (held === undefined) {
      const found = await this.#vm.stateManager.getAccount(address)
      // Some state managers hand out what they hold.
      const account = found && Object.assign(Object.create(Object.getPrototypeOf(found)), found)
      held = { address, account, isChanged: false }
      this.#held.set(name, held)
    }
    return held
  }

  /** As stock's, which hashes with a slower function. */
  #senderOf(tx: TypedTransaction): Address | undefined {
    const { senderPubKey } = tx.cache
    const isOwn = Object.hasOwn(tx, 'getSenderAddress') || Object.hasOwn(tx, 'getSenderPublicKey')
    try {
      if (senderPubKey === undefined || isOwn) return tx.getSenderAddress()
    } catch {
      return undefined
    }
    return new Address(addressOfPublicKey(senderPubKey, this.#keccak as Keccak))
  }

  #isPrecompile(address: Address): boolean {
    return this.#vm.evm.precompiles.has(hexOf(address.bytes))
  }
}

/** Nothing is no change, where it does not clear an empty account away (EIP-161). */
function canCredit({ account }: Held, wei: bigint): boolean {
  if (account === undefined) return true
  return wei === 0n ? !account.isEmpty() : account.balance + wei <= MAX_INTEGER
}

function add(held: Held, wei: bigint): void {
  held.account ??= new Account()
  held.account.balance += wei
  held.isChanged = true
}

/** All that a transfer leaves behind. */
function traceOfAccounts(result: RunTxResult, accounts: readonly Held[]): string {
  const parts = accounts.map(({ address, account }) => {
    const fields = account === undefined ? new Uint8Array(0) : account.serialize()
    return `${address.toString()} ${hexOf(fields)}`
  })
  return [hexOf(new ResultEncoder().encode(result)), ...parts.sort()].join(' ')
}
