// Stock's EVM with value transfers that do not read the receiver's balance, and nothing else changed.
// Authority on which of the EVM's own reads are avoided; every override ends in stock's result.

import {
  EVM,
  type EVMOpts,
  type EVMResult,
  type EVMRunCallOpts,
  type Message,
} from '@ethereumjs/evm'
import type { Account, BlockLevelAccessList } from '@ethereumjs/util'
import type { AccessListRecorder } from '../access/access-list-recorder.ts'
import { listedAddress } from '../access/listed-accesses.ts'
import { LazyAccount } from './lazy-account.ts'
import type { Speculation } from './speculation.ts'
import { LARGEST_UNREAD_ADDITION } from './state-view.ts'

type MessageWithTo = Parameters<EVM['_addToBalance']>[1]

export class WorkerEVM extends EVM {
  readonly speculation: Speculation
  /** Called when a transaction's outermost message has been executed. */
  readonly #afterOutermost: () => void
  /** Undefined where blocks have no access lists (EIP-7928). */
  readonly #accessList: AccessListRecorder | undefined

  constructor(
    options: EVMOpts,
    speculation: Speculation,
    afterOutermost: () => void,
    accessList: AccessListRecorder | undefined,
  ) {
    // It has everything that stock calls while it runs a transaction.
    const blockLevelAccessList = accessList as BlockLevelAccessList | undefined
    super(accessList === undefined ? options : { ...options, blockLevelAccessList })
    this.speculation = speculation
    this.#afterOutermost = afterOutermost
    this.#accessList = accessList
  }

  override async runCall(options: EVMRunCallOpts): Promise<EVMResult> {
    if (options.message !== undefined) return super.runCall(options)
    const result = await super.runCall(options)
    this.#afterOutermost()
    return result
  }

  /** Nothing to take: the account is put as stock does, since that touches it, but not looked at. */
  protected override async _reduceSenderBalance(account: Account, message: Message): Promise<void> {
    if (message.value !== 0n || !(account instanceof LazyAccount)) {
      return super._reduceSenderBalance(account, message)
    }
    const { listedBalance } = account
    this.#accessList?.addListedBalance(listedAddress(message.caller), listedBalance, listedBalance)
    await this.journal.putAccount(message.caller, account)
  }

  /** An overflow is impossible: both sides are far below 2^256 where this path is taken. */
  protected override async _addToBalance(
    toAccount: Account,
    message: MessageWithTo,
  ): Promise<void> {
    if (
      !(toAccount instanceof LazyAccount) ||
      !toAccount.canAddUnread ||
      message.value > LARGEST_UNREAD_ADDITION
    ) {
      return super._addToBalance(toAccount, message)
    }
    const before = toAccount.listedBalance
    toAccount.addUnread(message.value)
    const to = listedAddress(message.to)
    if (message.value === 0n) this.#accessList?.addAddress(to)
    else this.#accessList?.addListedBalance(to, toAccount.listedBalance, before)
    await this.journal.putAccount(message.to, toAccount)
  }
}
