// A worker setup module whose recovery of senders misbehaves, as the signed message says, and only inside
// workers. Authority on the kinds of misbehaviour and on the mark of a message: its hash begins with it.
// It must stay free of side effects on import: suites import it on the main thread.
import { isMainThread } from 'node:worker_threads'
import { ecrecover } from '@ethereumjs/util'
import type { WorkerSetupResult } from '../../../src/index.ts'
import { testKzg } from '../kzg.ts'

export const misbehaviour = { throws: 1, exits: 2, neverEnds: 3 } as const
/** What the hash of a marked message begins with; then, in four bits, comes the kind. */
const MARK = 0xbd
/** Where a recovery that never ends says that it has begun. */
export const channelName = 'recovery under way'

/** The kind of misbehaviour that a signed message's hash asks for; 0 = none. */
export function kindOf(messageHash: Uint8Array): number {
  return messageHash[0] === MARK ? messageHash[1]! & 0x0f : 0
}

function neverEnd(): never {
  const channel = new BroadcastChannel(channelName)
  channel.postMessage('')
  channel.close()
  const word = new Int32Array(new SharedArrayBuffer(4))
  // In pieces, so that the thread can be ended in between.
  for (;;) Atomics.wait(word, 0, 0, 10)
}

/** Behaves on the main thread. */
export const misbehave: typeof ecrecover = (messageHash, ...signature) => {
  switch (isMainThread ? 0 : kindOf(messageHash)) {
    case misbehaviour.throws:
      throw new Error('the recovery throws')
    case misbehaviour.exits:
      return process.exit(3)
    case misbehaviour.neverEnds:
      neverEnd()
  }
  return ecrecover(messageHash, ...signature)
}

export default function setup(): WorkerSetupResult {
  return { customCrypto: { ecrecover: misbehave, kzg: testKzg() } }
}
