// A worker setup module (see the `workerSetup` option): gives the EVMs inside workers the KZG
// backend that the tests' main-thread VMs have. It must stay free of side effects on import.
import type { CustomCrypto } from '@ethereumjs/common'

import { testKzg } from './kzg.ts'

export default async function setup(): Promise<{ customCrypto: CustomCrypto }> {
  return { customCrypto: { kzg: testKzg() } }
}
