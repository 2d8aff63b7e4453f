// A workerSetup module that puts SHA-3 in the place of keccak-256, and the function for the calling thread.
// Authority on nothing: it only has to differ from keccak-256.
import { sha3_256 } from '@noble/hashes/sha3.js'

export const sha3 = (message: Uint8Array): Uint8Array => sha3_256(message)

export default () => ({ customCrypto: { keccak256: sha3 } })
