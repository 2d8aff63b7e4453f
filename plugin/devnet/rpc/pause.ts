// Lets others go on in the middle of long work on the calling thread.
// The authority on nothing. Whoever pauses must bear that the chain has changed meanwhile.

/** Resolves when what waits (timers, requests, the miner) had its turn. */
export function pause(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
