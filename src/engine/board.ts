// The shared words of one batch: which transactions are taken and done, by whom, and when to stop.
// Authority on their offsets. Every word is touched by atomic operations, save those said to be fixed.

/** Words of the board's header. */
export const BOARD = {
  /** 1: take nothing more. */
  STOP: 0,
  /** Transactions in order: those below are final. Others: how many are. */
  DONE: 1,
  /** Most executions at once, how many there are, and what the pace goes by; see admission.ts. */
  LIMIT: 2,
  RUNNING: 3,
  ATTEMPTS: 4,
  CONFLICTS: 5,
  WINDOW: 6,
  /** First position of the order that is in no queue; guarded by GLOBAL_LOCK. */
  GLOBAL_NEXT: 7,
  GLOBAL_LOCK: 8,
  BACKOFF: 9,
  RAISED: 10,
} as const
const HEADER = 16

/**
 * A worker's queue, positions LOW..HIGH of the order; and its place in the store with the number of its
 * attachment, which is 0 while it is not attached and written last.
 */
export const WORKER = { LOCK: 0, LOW: 1, HIGH: 2, OWNER: 3, ATTACHMENT: 4, STRIDE: 16 } as const

export interface BoardShape {
  readonly workers: number
  readonly transactions: number
}

export function workerWord(worker: number, field: number): number {
  return HEADER + worker * WORKER.STRIDE + field
}
/** 0 = free, 1 = taken: for transactions that are run in order. */
export function claimWord({ workers }: BoardShape, transaction: number): number {
  return workerWord(workers, 0) + transaction
}
/** Fixed: the transaction at a position of the order. */
export function orderWord(shape: BoardShape, position: number): number {
  return claimWord(shape, shape.transactions) + position
}
/** Fixed: the last transaction that must be final before this one begins, -1 = none. */
export function lastNeededWord(shape: BoardShape, transaction: number): number {
  return orderWord(shape, shape.transactions) + transaction
}

/** A new board; all queues are empty, and the order is that of the numbers. */
export function createBoard(shape: BoardShape): SharedArrayBuffer {
  const board = new SharedArrayBuffer(lastNeededWord(shape, shape.transactions) * 4)
  const words = new Int32Array(board)
  for (let i = 0; i < shape.transactions; i++) {
    words[orderWord(shape, i)] = i
    words[lastNeededWord(shape, i)] = -1
  }
  return board
}
