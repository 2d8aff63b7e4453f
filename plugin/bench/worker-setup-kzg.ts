// The worker setup module for blocks with blob transactions: gives the EVMs inside workers the same
// KZG backend as the benchmark's own VMs. The executor loads it by path, in each worker.
// Must not do anything on import, and must not offer more than the main thread's VM has.
import type { CustomCrypto } from '@ethereumjs/common'

import { loadKzg } from './kzg.ts'

export default async function setup(): Promise<{ customCrypto: CustomCrypto }> {
  const kzg = await loadKzg()
  if (kzg === undefined) throw new Error('blob transactions need the package micro-eth-signer')
  return { customCrypto: { kzg } }
}
