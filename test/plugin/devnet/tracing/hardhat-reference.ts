// Hardhat's own network beside a stock VM with the same accounts: what both answer can be compared.
// Authority on how the two are brought to the same state.
// Must not use what is tested.
import { type Block, createBlock } from '@ethereumjs/block'
import { Common, Hardfork, Mainnet } from '@ethereumjs/common'
import {
  Account,
  type Address,
  createAddressFromString,
  hexToBytes,
  type PrefixedHexString,
} from '@ethereumjs/util'
import { createVM, type VM } from '@ethereumjs/vm'
import { createHardhatRuntimeEnvironment } from 'hardhat/hre'

/** Hardhat's first account. */
export const sender: Address = createAddressFromString('0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266')
export const senderKey = hexToBytes(
  '0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80',
)
export const defaultGas = 16_777_216n

export interface ReferenceAccount {
  readonly code?: PrefixedHexString
  readonly balance?: bigint
  readonly nonce?: bigint
  readonly storage?: Readonly<Record<PrefixedHexString, PrefixedHexString>>
}

export interface HardhatError {
  readonly code: number
  readonly message: string
  readonly data?: unknown
  readonly transactionHash?: string
}

export interface HardhatReference {
  request(method: string, ...params: unknown[]): Promise<unknown>
  /** What the request fails with. */
  failure(method: string, ...params: unknown[]): Promise<HardhatError>
  addCompilation(input: unknown, output: unknown): Promise<void>
  close(): Promise<void>
}

/** @param override - of the config of its network */
export async function startHardhat(
  override: { readonly initialDate?: Date } = {},
): Promise<HardhatReference> {
  const hre = await createHardhatRuntimeEnvironment({})
  const connection = await hre.network.connect({ override })
  const provider = connection.provider as unknown as {
    request(given: { method: string; params: unknown[] }): Promise<unknown>
    addCompilationResult(version: string, input: unknown, output: unknown): Promise<void>
  }
  const request = (method: string, ...params: unknown[]) => provider.request({ method, params })
  return {
    request,
    failure: async (method, ...params) => {
      try {
        const result = await request(method, ...params)
        throw new Error(`${method} succeeded with ${JSON.stringify(result)}`)
      } catch (error) {
        return error as HardhatError
      }
    },
    addCompilation: (input, output) => provider.addCompilationResult('0.8.37', input, output),
    close: () => connection.close(),
  }
}

export function devCommon(): Common {
  return new Common({
    chain: { ...Mainnet, chainId: 31337, name: 'devnet' },
    hardfork: Hardfork.Osaka,
  })
}

const coinbase = createAddressFromString('0xc014ba5ec014ba5ec014ba5ec014ba5ec014ba5e')

/** A block as Hardhat's first one. */
export function firstBlock(common: Common, rest: Record<string, unknown> = {}): Block {
  const header = { number: 1, gasLimit: 60_000_000, coinbase, baseFeePerGas: 875_000_000n, ...rest }
  return createBlock({ header }, { common, skipConsensusFormatValidation: true })
}

/** Both with these accounts, and the sender with its 10,000 ETH. */
export async function withAccounts(
  accounts: Readonly<Record<PrefixedHexString, ReferenceAccount>>,
  hardhat?: HardhatReference,
): Promise<VM> {
  const vm = await createVM({ common: devCommon() })
  const all: Record<string, ReferenceAccount> = {
    [sender.toString()]: { balance: 10_000n * 10n ** 18n },
    ...accounts,
  }
  for (const [text, account] of Object.entries(all)) {
    await putAccount(vm, createAddressFromString(text), account)
    if (hardhat !== undefined) await putInHardhat(hardhat, text, account)
  }
  return vm
}

async function putAccount(vm: VM, address: Address, given: ReferenceAccount): Promise<void> {
  const { code, balance = 0n, nonce = 0n, storage = {} } = given
  await vm.stateManager.putAccount(address, new Account(nonce, balance))
  if (code !== undefined) await vm.stateManager.putCode(address, hexToBytes(code))
  for (const [key, value] of Object.entries(storage)) {
    const slot = hexToBytes(key as PrefixedHexString)
    await vm.stateManager.putStorage(address, slot, hexToBytes(value))
  }
}

async function putInHardhat(
  hardhat: HardhatReference,
  text: string,
  { code, balance = 0n, nonce, storage = {} }: ReferenceAccount,
): Promise<void> {
  await hardhat.request('hardhat_setBalance', text, `0x${balance.toString(16)}`)
  if (nonce !== undefined) {
    await hardhat.request('hardhat_setNonce', text, `0x${nonce.toString(16)}`)
  }
  if (code !== undefined) await hardhat.request('hardhat_setCode', text, code)
  for (const [key, value] of Object.entries(storage)) {
    const short = `0x${BigInt(key).toString(16)}`
    await hardhat.request('hardhat_setStorageAt', text, short, value)
  }
}

/** Addresses for contracts of tests. */
export function contractAddress(index: number): PrefixedHexString {
  return `0x00000000000000000000000000000000000c0d${index.toString(16).padStart(2, '0')}`
}
