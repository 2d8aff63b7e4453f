// keccak-256 in WebAssembly, six times as fast as the JavaScript one that ethereumjs uses.
// Authority on how this package hashes in bulk. Must not be used before it is loaded: loading is
// asynchronous, hashing is not.

import { createKeccak } from 'hash-wasm'

/** The keccak-256 of some bytes: 32 bytes, a new array each time. */
export type Keccak = (bytes: Uint8Array) => Uint8Array

let loaded: Promise<Keccak> | undefined

/** Loads the hash function, once per thread. */
export function loadKeccak(): Promise<Keccak> {
  loaded ??= createKeccak(256).then((hasher) => {
    return (bytes) => hasher.init().update(bytes).digest('binary')
  })
  return loaded
}
