// The part of KZG's trusted setup (EIP-4844) that verifying takes: executing a block reads no more.
// The authority on these points. Nothing can be committed to with them.

// From the public KZG ceremony of EIP-4844: the groups' generators, and tau times the generator of
// G2. Verifying a single opening, which is all the point-evaluation precompile does, reads no more.
const GENERATOR_OF_G1 =
  '0x97f1d3a73197d7942695638c4fa9ac0fc3688c4f9774b905a14e3a3f171bac586c55e83ff97a1aeffb3af00adb22c6bb'
const GENERATOR_OF_G2 =
  '0x93e02b6052719f607dacd3a088274f65596bd0d09920b61ab5da61bbdc7f5049334cf11213945d57e5ac7d055d042b7e024aa2b2f08f0a91260805272dc51051c6e47ad4fa403b02b4510b647ae3d1770bac0326a805bbefd48056c8c121bdb8'
const TAU_IN_G2 =
  '0xb5bfd7dd8cdeb128843bc287230af38926187075cbfbefa81009a2ce615ac53d2914e5870cb452d2afaaab24f3499f72185cbfee53492714734429b7b38608e23926c911cceceac9a36851477ba4c60b087041de621000edc98edada20c1def2'

export const VERIFICATION_SETUP = {
  // Only commitments read these; the class insists on at least two.
  g1_lagrange: [GENERATOR_OF_G1, GENERATOR_OF_G1],
  g2_monomial: [GENERATOR_OF_G2, TAU_IN_G2],
}
