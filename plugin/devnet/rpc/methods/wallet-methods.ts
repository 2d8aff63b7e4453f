// Methods about a devnet's own accounts: who they are, and what they sign.
// The authority on the forms of signatures (EIP-191, EIP-712).

import { z } from 'zod'
import { bytesOf, type Hex, hexOf, word } from '../../hex.ts'
import { invalidParams } from '../../rpc-error.ts'
import type { LocalAccount } from '../../wallet/local-accounts.ts'
import { hashPersonalMessage } from '../../wallet/personal-message.ts'
import { signHash } from '../../wallet/signer.ts'
import { hashTypedData } from '../../wallet/typed-data.ts'
import { type MethodTable, method } from '../method-table.ts'
import { address, data } from '../schemas.ts'

export const walletMethods: MethodTable = {
  eth_accounts: method([], ({ core }) => core.accounts.all.map((account) => account.address)),
  eth_requestAccounts: method([], ({ core }) =>
    core.accounts.all.map((account) => account.address),
  ),

  eth_sign: method([address, data], ({ core }, of, message) =>
    sign(core.accounts.get(of), hashPersonalMessage(bytesOf(message))),
  ),
  personal_sign: method([data, address], ({ core }, message, of) =>
    sign(core.accounts.get(of), hashPersonalMessage(bytesOf(message))),
  ),

  eth_signTypedData_v4: method(
    [address, z.union([z.string(), z.record(z.unknown())])],
    ({ core }, of, message) => {
      const account = core.accounts.get(of)
      return sign(account, typedDataHash(message))
    },
  ),
}

function typedDataHash(message: string | Record<string, unknown>): Uint8Array {
  try {
    return hashTypedData(typeof message === 'string' ? JSON.parse(message) : message)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw invalidParams(`Invalid params: parameter 2 must be typed data of EIP-712: ${reason}`)
  }
}

function sign({ privateKey }: LocalAccount, hash: Uint8Array): Hex {
  const { r, s, yParity } = signHash(hash, privateKey)
  return `${word(r)}${word(s).slice(2)}${hexOf(Uint8Array.of(27 + yParity)).slice(2)}`
}
