// Sends random transactions of every type to a devnet: transfers, calls, creations, such that fail, such
// with blobs and such with authorizations. The authority on what is drawn. Mines nothing.
import { createCustomCommon, Mainnet } from '@ethereumjs/common'
import { createTx, type TypedTxData } from '@ethereumjs/tx'
import {
  bytesToHex,
  eoaCode7702AuthorizationListBytesItemToJSON,
  eoaCode7702SignAuthorization,
  hexToBytes,
} from '@ethereumjs/util'
import { testKzg } from '../../support/kzg.ts'
import { hex, type TestDevnet } from './test-devnet.ts'

type HexText = `0x${string}`
type Request = Readonly<Record<string, unknown>>

const GAS_PRICE = 20n * 10n ** 9n
const VERSIONED_HASH: HexText = `0x01${'5a'.repeat(31)}`

const common = createCustomCommon({ chainId: 31_337 }, Mainnet, {
  hardfork: 'osaka',
  customCrypto: { kzg: testKzg() },
})

export class RandomPool {
  readonly #devnet: TestDevnet
  readonly #pick: (count: number) => number
  readonly #counter: string

  /** `counter`: a contract that fails for calls with data. */
  constructor(devnet: TestDevnet, pick: (count: number) => number, counter: string) {
    this.#devnet = devnet
    this.#pick = pick
    this.#counter = counter
  }

  async send(): Promise<void> {
    const { accounts } = this.#devnet
    const from = this.#pick(accounts.length)
    if (this.#pick(8) === 0) return this.#sendWithBlobs(from)
    const request = this.#request(from)
    await this.#devnet.ask('eth_sendTransaction', { gas: hex(120_000), ...request })
  }

  #request(from: number): Request {
    const { accounts } = this.#devnet
    const base = { from: accounts[from], ...this.#fees() }
    const counter = this.#counter
    return [
      () => ({ ...base, to: accounts[this.#pick(accounts.length)], value: hex(this.#pick(1_000)) }),
      () => ({
        ...base,
        to: `0x${'77'.repeat(19)}${hex(16 + this.#pick(16)).slice(2)}`,
        value: '0x1',
      }),
      () => ({ ...base, to: counter }),
      // Reverts.
      () => ({ ...base, to: counter, data: '0x01020304' }),
      // Has not the gas for a new slot.
      () => ({ ...base, to: counter, gas: hex(25_400 + this.#pick(3_000)) }),
      // Creates a contract that can be called, one that cannot be created, one that ends at once.
      () => ({
        ...base,
        data: ['0x6001600a5f39600160005ff300', '0xfe', '0x60016000f3'][this.#pick(3)],
      }),
      () => this.#withAuthorization(from),
    ][this.#pick(7)]?.() as Request
  }

  #fees(): Request {
    const accessList = [{ address: this.#counter, storageKeys: [`0x${'00'.repeat(32)}`] }]
    const gasPrice = hex(GAS_PRICE)
    const maxPriorityFeePerGas = hex(this.#pick(10) * 10 ** 8)
    return [
      { gasPrice },
      { gasPrice, accessList },
      { maxFeePerGas: gasPrice, maxPriorityFeePerGas },
      { maxFeePerGas: gasPrice, maxPriorityFeePerGas, accessList },
    ][this.#pick(4)] as Request
  }

  /** Somebody lets the counter's code run as his; sometimes with a nonce that makes it void. */
  #withAuthorization(from: number): Request {
    const { accounts, keys } = this.#devnet
    const who = this.#pick(accounts.length)
    const item = eoaCode7702SignAuthorization(
      {
        chainId: '0x7a69',
        address: this.#counter as HexText,
        nonce: hex(this.#pick(3)) as HexText,
      },
      hexToBytes(keys[who] as HexText),
    )
    return {
      from: accounts[from],
      to: accounts[who],
      maxFeePerGas: hex(GAS_PRICE),
      maxPriorityFeePerGas: hex(this.#pick(10) * 10 ** 8),
      authorizationList: [padded(eoaCode7702AuthorizationListBytesItemToJSON(item))],
    }
  }

  async #sendWithBlobs(from: number): Promise<void> {
    const { accounts, keys } = this.#devnet
    const nonce = await this.#devnet.text('eth_getTransactionCount', accounts[from], 'pending')
    const data = {
      type: 3,
      chainId: 31_337,
      nonce,
      to: [accounts[this.#pick(accounts.length)], this.#counter][this.#pick(2)],
      gasLimit: 120_000,
      maxFeePerGas: GAS_PRICE,
      maxPriorityFeePerGas: BigInt(this.#pick(10) * 10 ** 8),
      maxFeePerBlobGas: 10n ** 9n,
      blobVersionedHashes: Array.from({ length: 1 + this.#pick(3) }, () => VERSIONED_HASH),
    } as unknown as TypedTxData
    const tx = createTx(data, { common }).sign(hexToBytes(keys[from] as HexText))
    await this.#devnet.ask('eth_sendRawTransaction', bytesToHex(tx.serialize()))
  }
}

/** Quantities without digits are not what JSON-RPC takes. */
function padded(item: object): Request {
  return Object.fromEntries(
    Object.entries(item).map(([name, value]) => [name, value === '0x' ? '0x0' : value]),
  )
}
