// Accounts that sign the same transactions for both networks, each with its own count of nonces.
// The authority on fees and gas limits. Signs outside of what is measured.
import { createChainRules } from '../../devnet/chain-rules.ts'
import { DEFAULT_MNEMONIC, resolveDevnetOptions } from '../../devnet/devnet-options.ts'
import { hexOf } from '../../devnet/hex.ts'
import { signTransaction } from '../../devnet/pool/sign-transaction.ts'
import { derivePrivateKeys } from '../../devnet/wallet/hd-wallet.ts'
import { LocalAccounts } from '../../devnet/wallet/local-accounts.ts'
import { CONTRACT_TOKEN, transferOne } from './token.ts'

const ACCOUNTS = 100
const GWEI = 10n ** 9n
/** Above any base fee that full blocks can lead to here. */
const MAX_FEE = 10_000n * GWEI
const TRANSFER_GAS = 21_000n
const TOKEN_GAS = 60_000n

export type Kind = 'transfer' | 'erc20'

export class Senders {
  readonly privateKeys: readonly string[]
  readonly addresses: readonly string[]
  readonly #rules = createChainRules(resolveDevnetOptions({}))
  readonly #accounts: LocalAccounts
  readonly #nonces: number[]
  #turn = 0

  constructor() {
    const path = { passphrase: '', path: "m/44'/60'/0'/0", initialIndex: 0 }
    const keys = derivePrivateKeys(DEFAULT_MNEMONIC, ACCOUNTS, path)
    this.#accounts = new LocalAccounts(keys)
    this.privateKeys = keys.map(hexOf)
    this.addresses = this.#accounts.all.map(({ address }) => address)
    this.#nonces = this.addresses.map(() => 0)
  }

  /**
   * Signed transactions in hex, of all accounts in turn, each to the account half way round: if each paid the
   * one after it, a block would be a single chain, in which every sender spends what it was just paid.
   */
  sign(kind: Kind, count: number): string[] {
    return Array.from({ length: count }, () => this.#next(kind))
  }

  #next(kind: Kind): string {
    const at = this.#turn++ % ACCOUNTS
    const account = this.#accounts.all[at] as LocalAccounts['all'][number]
    const receiver = this.addresses[(at + ACCOUNTS / 2) % ACCOUNTS] as `0x${string}`
    const nonce = this.#nonces[at] as number
    this.#nonces[at] = nonce + 1
    const what =
      kind === 'transfer'
        ? { to: receiver, value: 1n, gasLimit: TRANSFER_GAS }
        : { to: CONTRACT_TOKEN.address, data: transferOne(receiver), gasLimit: TOKEN_GAS }
    const fees = { maxFeePerGas: MAX_FEE, maxPriorityFeePerGas: GWEI }
    const data = { type: 2, chainId: 31_337, nonce, ...fees, ...what }
    return hexOf(signTransaction(this.#rules, data, account).tx.serialize())
  }
}
