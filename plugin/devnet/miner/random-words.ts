// Words that look random and are the same in each run: randomness of blocks, roots of beacon blocks.
// The authority on the seeds. Nothing secret may come from here.

import { bytesToHex, hexToBytes, utf8ToBytes } from '@ethereumjs/util'
import { keccak_256 } from '@noble/hashes/sha3.js'
import type { Hex } from '../hex.ts'

export type WordSeed = 'randomMixHashSeed' | 'randomParentBeaconBlockRootSeed'

export class RandomWords {
  #next: Hex

  constructor(seed: WordSeed) {
    this.#next = firstWord(seed)
  }

  /** What {@link take} will return; setting it decides what follows. */
  get next(): Hex {
    return this.#next
  }

  set next(word: Hex) {
    this.#next = word
  }

  /** Goes on after `word`, which was the last one. */
  follow(word: Uint8Array): void {
    this.#next = hash(word)
  }

  take(): Hex {
    const word = this.#next
    this.#next = hash(hexToBytes(word))
    return word
  }
}

/** The word that a new chain begins with. */
export function firstWord(seed: WordSeed): Hex {
  return hash(utf8ToBytes(seed))
}

function hash(bytes: Uint8Array): Hex {
  return bytesToHex(keccak_256(bytes))
}
