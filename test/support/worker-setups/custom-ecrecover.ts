// A worker setup module that recovers keys with a function of its own, which finds what ethereumjs finds.
// Authority on nothing; what matters is that it is the user's. It must stay free of side effects on import.
import type { CustomCrypto } from '@ethereumjs/common'
import { ecrecover } from '@ethereumjs/util'
import type { WorkerSetupResult } from '../../../src/index.ts'
import { testKzg } from '../kzg.ts'

export const customCrypto: CustomCrypto = { ecrecover: (...args) => ecrecover(...args) }

export default function setup(): WorkerSetupResult {
  return { customCrypto: { ...customCrypto, kzg: testKzg() } }
}
