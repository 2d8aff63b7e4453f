// The KZG backend that blocks with blob transactions need, where micro-eth-signer is installed.
// The authority on which parts of the trusted setup executing a block takes.
// Must not be used to make commitments or blob proofs: it holds no more than verification reads.
import type { CustomCrypto } from '@ethereumjs/common'

export type Kzg = NonNullable<CustomCrypto['kzg']>

// From the public KZG ceremony of EIP-4844: the groups' generators, and tau times the generator of
// G2. Verifying a single opening, which is all the point-evaluation precompile does, reads no more.
const GENERATOR_OF_G1 =
  '0x97f1d3a73197d7942695638c4fa9ac0fc3688c4f9774b905a14e3a3f171bac586c55e83ff97a1aeffb3af00adb22c6bb'
const GENERATOR_OF_G2 =
  '0x93e02b6052719f607dacd3a088274f65596bd0d09920b61ab5da61bbdc7f5049334cf11213945d57e5ac7d055d042b7e024aa2b2f08f0a91260805272dc51051c6e47ad4fa403b02b4510b647ae3d1770bac0326a805bbefd48056c8c121bdb8'
const TAU_IN_G2 =
  '0xb5bfd7dd8cdeb128843bc287230af38926187075cbfbefa81009a2ce615ac53d2914e5870cb452d2afaaab24f3499f72185cbfee53492714734429b7b38608e23926c911cceceac9a36851477ba4c60b087041de621000edc98edada20c1def2'

/** The backend, or undefined where the optional package micro-eth-signer is not installed. */
export async function loadKzg(): Promise<Kzg | undefined> {
  let kzgModule: typeof import('micro-eth-signer/kzg.js')
  try {
    kzgModule = await import('micro-eth-signer/kzg.js')
  } catch (error) {
    if (isMissingModule(error)) return undefined
    throw error
  }
  return new kzgModule.KZG({
    // Only commitments read these; the class insists on at least two.
    g1_lagrange: [GENERATOR_OF_G1, GENERATOR_OF_G1],
    g2_monomial: [GENERATOR_OF_G2, TAU_IN_G2],
  })
}

function isMissingModule(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND'
}
