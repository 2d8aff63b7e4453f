// The choice of a library: the fastest that loads and answers right. Authority on what happens on
// machines that lack one, which the loaders here play.
import { spawnSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import {
  chooseSecp256k1,
  loadSecp256k1,
  type RecoverKey,
  SECP256K1_LOADERS,
  type Secp256k1Loader,
} from '../../../src/crypto/secp256k1.ts'

const [native, wasm] = SECP256K1_LOADERS as [Secp256k1Loader, Secp256k1Loader]
const missing: Secp256k1Loader = {
  kind: 'native',
  load: () => Promise.reject(new Error('No native build was found')),
}
const loading = (load: () => RecoverKey): Secp256k1Loader => ({
  kind: 'native',
  load: async () => load(),
})

describe('the choice of a library', () => {
  it('is the addon where there is one, and it is loaded once per thread', async () => {
    expect((await loadSecp256k1()).kind).toBe('native')
    expect(await loadSecp256k1()).toBe(await loadSecp256k1())
  })

  it('is WebAssembly where the addon is missing', async () => {
    expect((await chooseSecp256k1([missing, wasm])).kind).toBe('wasm')
  })

  it('is ethereumjs itself where both are missing', async () => {
    const { kind, recover } = await chooseSecp256k1([missing, { ...missing, kind: 'wasm' }])
    expect(kind).toBe('javascript')
    const hash = new Uint8Array(32).fill(7)
    const signature = new Uint8Array(64).fill(1)
    expect(recover(hash, 0, signature)).toEqual((await native.load())(hash, 0, signature))
  })

  it('passes over a library that answers wrongly, not at all, or by throwing', async () => {
    const wrong = [
      loading(() => () => new Uint8Array(64)),
      loading(() => () => undefined),
      loading(() => () => {
        throw new Error('illegal instruction')
      }),
    ]
    for (const library of wrong) {
      expect((await chooseSecp256k1([library, wasm])).kind).toBe('wasm')
    }
  })

  it('is what a process finds, in which the addon has no binary', () => {
    const module = new URL('../../../src/crypto/secp256k1.ts', import.meta.url).href
    const code = `const { kind } = await (await import('${module}')).loadSecp256k1(); console.log(kind)`
    const run = (env: NodeJS.ProcessEnv): string =>
      spawnSync(process.execPath, ['--input-type=module', '-e', code], {
        env: { ...process.env, ...env },
        encoding: 'utf8',
      }).stdout.trim()
    expect(run({})).toBe('native')
    expect(run({ SECP256K1_PREBUILD: '/nowhere' })).toBe('wasm')
  })
})
