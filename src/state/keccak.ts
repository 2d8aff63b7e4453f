// keccak-256 in WebAssembly, six times as fast as the JavaScript one that ethereumjs uses.
// Authority on how this package hashes in bulk. Must not be used before it is loaded: loading is
// asynchronous, hashing is not.

import { equalsBytes, KECCAK256_NULL } from '@ethereumjs/util'
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

/** Hash functions by whether they are keccak-256. */
const known = new WeakMap<Keccak, boolean>()

/** Whether `hash`, which somebody put in the place of keccak-256, is keccak-256 all the same. */
export function isKeccak256(hash: Keccak): boolean {
  let isKeccak = known.get(hash)
  if (isKeccak === undefined) {
    isKeccak = equalsBytes(hash(new Uint8Array()), KECCAK256_NULL)
    known.set(hash, isKeccak)
  }
  return isKeccak
}
