// The world a generated workload describes while it is being written: accounts, tokens, pools and
// the transactions of the one block. The authority on the contracts' pre-state and call data.
// Must not execute anything: contracts are placed with their storage, not deployed.
import type { Common } from '@ethereumjs/common'
import { createFeeMarket1559Tx, type FeeMarket1559Tx } from '@ethereumjs/tx'
import { createAddressFromString, hexToBytes, type PrefixedHexString } from '@ethereumjs/util'

import type { Accounts, Sender } from './accounts.ts'
import { mintCounterArtifact, poolArtifact, tokenArtifact } from './contract-artifacts.ts'
import type { Random } from './random.ts'
import { encodeCall, mappingSlot } from './solidity.ts'
import type { AccountState, PreState } from './state-image.ts'

export interface Pool {
  readonly address: PrefixedHexString
  readonly token0: PrefixedHexString
  readonly token1: PrefixedHexString
}

const ETHER = 10n ** 18n
const GWEI = 10n ** 9n
export const BASE_FEE = GWEI
const PRIORITY_FEE = 2n * GWEI
const POOL_RESERVE = 1_000_000n * ETHER
const UNLIMITED = 2n ** 256n - 1n
const RESERVE_BITS = 112n

// Each comfortably above what the call uses: the block's limit is their sum.
const TRANSFER_GAS = 21_000n
const TOKEN_TRANSFER_GAS = 80_000n
const SWAP_GAS = 200_000n
const MINT_GAS = 120_000n

interface Artifact {
  readonly name: string
  readonly runtimeCode: PrefixedHexString
}

interface Placed {
  balance: bigint
  code?: Uint8Array
  storage: Map<bigint, bigint>
}

export class World {
  readonly accounts: Accounts
  readonly random: Random
  readonly #common: Common
  readonly #placed = new Map<PrefixedHexString, Placed>()
  readonly #nonces = new Map<PrefixedHexString, bigint>()
  readonly #unsigned: { transaction: FeeMarket1559Tx; privateKey: Uint8Array }[] = []
  readonly #contractNames = new Map<PrefixedHexString, string>()
  readonly #counts = new Map<string, number>()

  constructor(common: Common, accounts: Accounts, random: Random) {
    this.#common = common
    this.accounts = accounts
    this.random = random
  }

  /** The transactions in their order, each signed when it is asked for: a signature takes long. */
  *signTransactions(): Generator<FeeMarket1559Tx> {
    for (const { transaction, privateKey } of this.#unsigned) yield transaction.sign(privateKey)
  }

  get preState(): PreState {
    const state = new Map<PrefixedHexString, AccountState>()
    for (const [address, { balance, code, storage }] of this.#placed) {
      const isContract = code !== undefined
      state.set(address, {
        balance,
        nonce: isContract ? 1n : 0n,
        ...(isContract ? { code, storage } : {}),
      })
    }
    return state
  }

  /** What readers call the contracts, by address: `Token 1`, `Pool 3`, `Pool 3 token0`. */
  get contractNames(): ReadonlyMap<PrefixedHexString, string> {
    return this.#contractNames
  }

  /** Gives an account Ether to be there with before the block. */
  fund(address: PrefixedHexString): void {
    this.#place(address).balance = 1_000n * ETHER
  }

  placeToken(): PrefixedHexString {
    return this.#placeContract(tokenArtifact, this.#nextName(tokenArtifact))
  }

  placeMintCounter(): PrefixedHexString {
    return this.#placeContract(mintCounterArtifact, this.#nextName(mintCounterArtifact))
  }

  /** A pool of two tokens of its own, with deep and equal reserves. */
  placePool(): Pool {
    const name = this.#nextName(poolArtifact)
    const token0 = this.#placeContract(tokenArtifact, `${name} token0`)
    const token1 = this.#placeContract(tokenArtifact, `${name} token1`)
    const address = this.#placeContract(poolArtifact, name)
    const { storage } = this.#place(address)
    storage.set(poolArtifact.storage.token0.slot, BigInt(token0))
    storage.set(poolArtifact.storage.token1.slot, BigInt(token1))
    // Both reserves share one slot, the first in the lower bits.
    storage.set(poolArtifact.storage.reserve0.slot, POOL_RESERVE | (POOL_RESERVE << RESERVE_BITS))
    this.#giveTokens(token0, address, POOL_RESERVE)
    this.#giveTokens(token1, address, POOL_RESERVE)
    return { address, token0, token1 }
  }

  transferEther(sender: Sender, recipient: PrefixedHexString): void {
    this.#send(sender, recipient, TRANSFER_GAS, new Uint8Array(0), this.#amount())
  }

  transferToken(token: PrefixedHexString, sender: Sender, recipient: PrefixedHexString): void {
    this.#giveTokens(token, sender.address, 1_000n * ETHER)
    const data = encodeCall('transfer(address,uint256)', [recipient, this.#amount()])
    this.#send(sender, token, TOKEN_TRANSFER_GAS, data)
  }

  swap(pool: Pool, sender: Sender): void {
    const isZeroForOne = this.random.integer(2) === 0
    const tokenIn = isZeroForOne ? pool.token0 : pool.token1
    this.#giveTokens(tokenIn, sender.address, 1_000n * ETHER)
    const allowances = mappingSlot(tokenArtifact.storage.allowance.slot, sender.address)
    this.#place(tokenIn).storage.set(mappingSlot(allowances, pool.address), UNLIMITED)
    const data = encodeCall('swap(uint256,uint256,bool)', [this.#amount(), 1n, isZeroForOne])
    this.#send(sender, pool.address, SWAP_GAS, data)
  }

  mint(counter: PrefixedHexString, sender: Sender): void {
    this.#send(sender, counter, MINT_GAS, encodeCall('mint()', []))
  }

  #amount(): bigint {
    return BigInt(1 + this.random.integer(1_000)) * 10n ** 12n
  }

  #giveTokens(token: PrefixedHexString, owner: PrefixedHexString, amount: bigint): void {
    const { balanceOf, totalSupply } = tokenArtifact.storage
    const { storage } = this.#place(token)
    const slot = mappingSlot(balanceOf.slot, owner)
    storage.set(slot, (storage.get(slot) ?? 0n) + amount)
    storage.set(totalSupply.slot, (storage.get(totalSupply.slot) ?? 0n) + amount)
  }

  #send(
    sender: Sender,
    to: PrefixedHexString,
    gasLimit: bigint,
    data: Uint8Array,
    value = 0n,
  ): void {
    const nonce = this.#nonces.get(sender.address) ?? 0n
    this.#nonces.set(sender.address, nonce + 1n)
    this.fund(sender.address)
    const transaction = createFeeMarket1559Tx(
      {
        chainId: this.#common.chainId(),
        nonce,
        to: createAddressFromString(to),
        value,
        data,
        gasLimit,
        maxFeePerGas: BASE_FEE + PRIORITY_FEE,
        maxPriorityFeePerGas: PRIORITY_FEE,
      },
      { common: this.#common },
    )
    this.#unsigned.push({ transaction, privateKey: sender.privateKey })
  }

  #placeContract({ runtimeCode }: Artifact, name: string): PrefixedHexString {
    const address = this.accounts.address('contract', this.#contractNames.size)
    this.#contractNames.set(address, name)
    this.#place(address).code = hexToBytes(runtimeCode)
    return address
  }

  #nextName({ name }: Artifact): string {
    const number = (this.#counts.get(name) ?? 0) + 1
    this.#counts.set(name, number)
    return `${name} ${number}`
  }

  #place(address: PrefixedHexString): Placed {
    const known = this.#placed.get(address)
    if (known !== undefined) return known
    const placed: Placed = { balance: 0n, storage: new Map() }
    this.#placed.set(address, placed)
    return placed
  }
}
