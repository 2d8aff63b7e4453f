// KZG for blob transactions and the point-evaluation precompile, loaded when it is first needed: that takes
// longer than all the rest of a devnet. The authority on what a devnet can verify: single openings and
// blobs (EIP-4844). It makes no commitments and no proofs, and does not verify cells (EIP-7594).

import { createRequire } from 'node:module'
import type { CustomCrypto } from '@ethereumjs/common'
import { VERIFICATION_SETUP } from '../../trusted-setup.ts'

type Kzg = NonNullable<CustomCrypto['kzg']>

let loaded: Kzg | undefined

function kzg(): Kzg {
  loaded ??= load()
  return loaded
}

/** Synchronously, since the EVM asks for it in the middle of a transaction. */
function load(): Kzg {
  const { KZG } = createRequire(import.meta.url)(
    'micro-eth-signer/kzg.js',
  ) as typeof import('micro-eth-signer/kzg.js')
  return new KZG(VERIFICATION_SETUP)
}

const refuse = (): never => {
  throw new Error('A devnet verifies blobs; it makes no commitments and no proofs')
}

export const lazyKzg: Kzg = {
  verifyProof: (commitment, z, y, proof) => kzg().verifyProof(commitment, z, y, proof),
  verifyBlobProofBatch: (blobs, commitments, proofs) =>
    kzg().verifyBlobProofBatch(blobs, commitments, proofs),
  blobToKzgCommitment: refuse,
  computeBlobProof: refuse,
  computeCells: refuse,
  computeCellsAndProofs: refuse,
  recoverCellsAndProofs: refuse,
  verifyCellKzgProofBatch: refuse,
}
