// hardhat_*: setters, impersonation, mining many blocks, what the network is.
// The authority on their parameters, results and refusals, which are Hardhat's.

import { Account, createAddressFromString } from '@ethereumjs/util'
import { z } from 'zod'
import type { FlatState } from '../../../../src/index.ts'
import { clientVersion } from '../../client-version.ts'
import { bytesOf, type Hex, word } from '../../hex.ts'
import { invalidInput, invalidParams, RPC_CODES, RpcError } from '../../rpc-error.ts'
import { type MethodContext, type MethodTable, method } from '../method-table.ts'
import { address, count, data, hash, hexDigits, quantity, slot } from '../schemas.ts'

const LARGEST_FEE = 2n ** 128n
const LARGEST_NONCE = 2n ** 64n - 1n

export const hardhatMethods: MethodTable = {
  hardhat_metadata: method([], ({ core }) => ({
    clientVersion: clientVersion(),
    chainId: core.options.chainId,
    instanceId: core.instanceId,
    latestBlockNumber: Number(core.chain.headNumber),
    latestBlockHash: core.chain.head.hash,
  })),
  hardhat_getAutomine: method([], ({ core }) => core.settings.automine),
  hardhat_mine: method([count.nullish(), count.nullish()], ({ core }, blocks, interval) =>
    core.changes.run(async () => {
      await core.miner.mineMany(blocks ?? 1n, interval ?? 1n)
      return true
    }),
  ),
  hardhat_reset: method([z.record(z.unknown()).nullish()], ({ core }, options) => {
    if (options?.forking != null) {
      throw new RpcError(
        RPC_CODES.notSupported,
        'Forking is not supported by the parallel network; hardhat_reset takes no forking options',
      )
    }
    return core.changes.run(async () => {
      await core.reset()
      return true
    })
  }),
  hardhat_dropTransaction: method([hash], ({ core }, transactionHash) =>
    core.changes.run(async () => {
      if (core.chain.transaction(transactionHash) !== undefined) {
        throw invalidInput(
          `Transaction ${transactionHash} cannot be dropped because it's already mined`,
        )
      }
      return core.pool.remove(transactionHash)
    }),
  ),

  hardhat_impersonateAccount: method([address], ({ core }, of) => {
    core.accounts.impersonate(of)
    return true
  }),
  hardhat_stopImpersonatingAccount: method([address], ({ core }, of) =>
    core.accounts.stopImpersonating(of),
  ),

  hardhat_setBalance: method([address, quantity], (context, of, balance) =>
    alter(context, async (state) => {
      const account = await accountAt(state, of)
      account.balance = balance
      await state.putAccount(createAddressFromString(of), account)
    }),
  ),
  hardhat_setNonce: method([address, quantity], ({ core }, of, nonce) =>
    core.changes.run(async () => {
      if (nonce > LARGEST_NONCE) {
        throw invalidParams(
          `Invalid params: Nonce must not be greater than or equal to 2^64. Received 0x${nonce.toString(16)}`,
        )
      }
      if (core.pool.size > 0) {
        throw new RpcError(
          RPC_CODES.internal,
          'Cannot set account nonce when the transaction pool is not empty',
        )
      }
      const account = await accountAt(core.chain.state, of)
      if (nonce < account.nonce) {
        throw invalidInput(
          `New nonce (${nonce}) must not be smaller than the existing nonce (${account.nonce})`,
        )
      }
      account.nonce = nonce
      await core.chain.alterState((state) => state.putAccount(createAddressFromString(of), account))
      return true
    }),
  ),
  hardhat_setCode: method([address, data], (context, of, code) => {
    context.core.consoleWatch.look(bytesOf(code))
    return alter(context, (state) => state.putCode(createAddressFromString(of), bytesOf(code)))
  }),
  hardhat_setStorageAt: method([address, slot, hexDigits], (context, of, at, value) => {
    const length = Math.floor((value.length - 2) / 2)
    if (length !== 32 || value.length % 2 === 1) {
      throw invalidInput(
        `Storage value must be exactly 32 bytes long. Received ${value}, which is ${length} bytes long.`,
      )
    }
    return alter(context, async (state) => {
      const target = createAddressFromString(of)
      if ((await state.getAccount(target)) === undefined) {
        await state.putAccount(target, new Account())
      }
      await state.putStorage(target, bytesOf(word(at)), bytesOf(value))
    })
  }),

  hardhat_setCoinbase: method([address], ({ core }, coinbase) =>
    core.changes.run(async () => {
      core.miner.settings.coinbase = coinbase
      return true
    }),
  ),
  hardhat_setNextBlockBaseFeePerGas: method([quantity], ({ core }, fee) =>
    core.changes.run(async () => {
      if (fee >= LARGEST_FEE) throw invalidInput('The base fee must be less than 2^128 wei')
      core.miner.settings.nextBaseFeePerGas = fee
      return true
    }),
  ),
  hardhat_setPrevRandao: method([hash], ({ core }, prevRandao) =>
    core.changes.run(async () => {
      core.miner.prevRandao.next = prevRandao
      return true
    }),
  ),
  hardhat_setMinGasPrice: method([quantity], () => {
    throw invalidInput('hardhat_setMinGasPrice is not supported when EIP-1559 is active')
  }),
  hardhat_setLoggingEnabled: method([z.boolean()], ({ core }, isOn) => {
    core.settings.isLoggingEnabled = isOn
    return true
  }),
}

async function alter(
  { core }: MethodContext,
  change: (state: FlatState) => Promise<void>,
): Promise<true> {
  await core.changes.run(() => core.chain.alterState(change))
  return true
}

async function accountAt(state: FlatState, of: Hex): Promise<Account> {
  return (await state.getAccount(createAddressFromString(of))) ?? new Account()
}
