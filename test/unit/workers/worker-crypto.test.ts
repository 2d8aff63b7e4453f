// What a worker's Commons hash and recover with: the user's functions where there are some, then the
// package's. Authority on that precedence; that blocks come out equal: worker-setup.test.ts.
import { ecrecover } from '@ethereumjs/util'
import { keccak_256 } from '@noble/hashes/sha3.js'
import { describe, expect, it } from 'vitest'
import { addressOfPublicKey } from '../../../src/crypto/sender-address.ts'
import {
  cryptoNameOf,
  customCryptoOf,
  loadWorkerCrypto,
} from '../../../src/workers/worker-crypto.ts'
import { actors } from '../../support/random-world.ts'
import { almostKeccak256 } from '../../support/worker-setups/custom-crypto.ts'

const unwatched = (hash: (bytes: Uint8Array) => Uint8Array) => hash
const setup = (name: string): string =>
  new URL(`../../support/worker-setups/${name}.ts`, import.meta.url).href

describe("a worker's crypto", () => {
  it('is the fast one where the user gives none, or gives it as undefined', async () => {
    const crypto = await loadWorkerCrypto()
    for (const custom of [undefined, {}, { ecrecover: undefined, keccak256: undefined }]) {
      const made = customCryptoOf(crypto, custom, unwatched)
      expect(made.ecrecover).toBe(crypto.ecrecover)
      expect(made.keccak256).toBe(crypto.keccak)
    }
    expect(crypto.ecrecover).toBeDefined()
  })

  it("is the user's where there is one, and all else that the user gives is kept", async () => {
    const custom = { ecrecover, keccak256: almostKeccak256, sha256: keccak_256 }
    expect(customCryptoOf(await loadWorkerCrypto(), custom, unwatched)).toEqual(custom)
  })

  it("is ethereumjs' own where no library loads", async () => {
    const crypto = { ...(await loadWorkerCrypto()), ecrecover: undefined }
    expect(customCryptoOf(crypto, undefined, unwatched)).not.toHaveProperty('ecrecover')
  })

  it('has a name, which says whether it is of the user', async () => {
    expect(await cryptoNameOf(undefined)).toBe('native')
    expect(await cryptoNameOf(setup('custom-crypto'))).toBe('native')
    expect(await cryptoNameOf(setup('custom-ecrecover'))).toBe('custom')
  })

  it('gives the addresses that ethereumjs gives, and refuses keys that are none', async () => {
    const { keccak } = await loadWorkerCrypto()
    for (const { publicKey, address } of actors) {
      expect(addressOfPublicKey(publicKey, keccak)).toEqual(address.bytes)
    }
    const short = actors[0].publicKey.slice(1)
    expect(() => addressOfPublicKey(short, keccak)).toThrow('Expected pubKey to be of length 64')
  })
})
