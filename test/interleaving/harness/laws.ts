// The laws that every schedule is held to, by name. A violation says which one was broken.
// Authority on their wording only; what each one means in words of memory is in the files that check it.

export const LAW = {
  ends: 'every schedule ends: nobody works in circles',
  awake: 'somebody is awake until the block is halted: no ring is lost',
  works: 'no worker meets an error of its own',
  transitions: 'a status changes only along its transitions, and by its holder',
  order: 'transactions are committed once each, in order, by the holder of the commit lock',
  estimates: 'what an aborted incarnation wrote reads as estimates until it is executed again',
  rewinds: 'an abort, and a write to a new location, rewinds the cursors',
  settled: 'a lane goes on only when the transaction that it waits for is settled',
  downwards: 'a lane waits for lower transactions only',
  found: 'a version that a reader finds is neither an estimate nor withdrawn',
  holder: 'only the holder of a transaction changes its versions',
  halt: 'the block is halted where sequential execution ends',
  results: 'what a committed transaction observed is what sequential execution observes',
  state: 'a reader above the block sees the state that sequential execution leaves',
  lists: 'version lists are sorted and complete, and every written location is remembered once',
  identity: 'one key has one record, and different keys have different records',
} as const
export type Law = (typeof LAW)[keyof typeof LAW]

/** How a schedule broke a law. */
export interface Violation {
  law: Law
  detail: string
}
