// The hash function and the signature recovery of a worker thread. Authority on what stands in a
// worker's Commons in the place of ethereumjs' own: the user's functions where there are some, then ours.

import type { CustomCrypto } from '@ethereumjs/common'
import { customEcrecover, type Ecrecover } from '../crypto/ecrecover.ts'
import { type CryptoName, loadSecp256k1, type Secp256k1 } from '../crypto/secp256k1.ts'
import { type Keccak, loadKeccak } from '../state/keccak.ts'
import { loadWorkerSetup } from './worker-setup.ts'

/** What a thread loaded. */
export interface WorkerCrypto {
  readonly keccak: Keccak
  readonly secp256k1: Secp256k1
  /** Undefined where ethereumjs' own is the only one. */
  readonly ecrecover: Ecrecover | undefined
}

let loaded: Promise<WorkerCrypto> | undefined

/** Loads what this thread hashes and recovers with, once. */
export function loadWorkerCrypto(): Promise<WorkerCrypto> {
  loaded ??= load()
  return loaded
}

async function load(): Promise<WorkerCrypto> {
  const [keccak, secp256k1] = await Promise.all([loadKeccak(), loadSecp256k1()])
  return { keccak, secp256k1, ecrecover: customEcrecover(secp256k1) }
}

/** What recovers senders in this thread. @throws ParallelError `WORKER_SETUP_FAILED` */
export async function cryptoNameOf(workerSetup: string | undefined): Promise<CryptoName> {
  const [{ secp256k1 }, setup] = await Promise.all([
    loadWorkerCrypto(),
    loadWorkerSetup(workerSetup),
  ])
  return setup.customCrypto?.ecrecover === undefined ? secp256k1.kind : 'custom'
}

/** The crypto of a worker's Commons; `watch` sees what the EVM hashes. */
export function customCryptoOf(
  crypto: WorkerCrypto,
  custom: CustomCrypto | undefined,
  watch: (hash: Keccak) => Keccak,
): CustomCrypto {
  const ecrecover = custom?.ecrecover ?? crypto.ecrecover
  return {
    ...custom,
    keccak256: watch(custom?.keccak256 ?? crypto.keccak),
    ...(ecrecover === undefined ? {} : { ecrecover }),
  }
}
