// What workers that build a devnet's blocks are given beside stock's EVM: the devnet's own KZG.
// The authority on nothing. Must not do anything on import: each worker loads it by its path.

import type { CustomCrypto } from '@ethereumjs/common'
import { lazyKzg } from './lazy-kzg.ts'

export default async function setup(): Promise<{ customCrypto: CustomCrypto }> {
  return { customCrypto: { kzg: lazyKzg } }
}
