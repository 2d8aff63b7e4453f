// The KZG backend that blocks with blob transactions need, where micro-eth-signer is installed.
// The authority on whether there is one.
// Must not be used to make commitments or blob proofs: it holds no more than verification reads.
import type { CustomCrypto } from '@ethereumjs/common'

import { VERIFICATION_SETUP } from '../trusted-setup.ts'

export type Kzg = NonNullable<CustomCrypto['kzg']>

/** The backend, or undefined where the optional package micro-eth-signer is not installed. */
export async function loadKzg(): Promise<Kzg | undefined> {
  let kzgModule: typeof import('micro-eth-signer/kzg.js')
  try {
    kzgModule = await import('micro-eth-signer/kzg.js')
  } catch (error) {
    if (isMissingModule(error)) return undefined
    throw error
  }
  return new kzgModule.KZG(VERIFICATION_SETUP)
}

function isMissingModule(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND'
}
