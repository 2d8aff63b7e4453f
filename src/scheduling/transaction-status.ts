// The status word of a transaction: its incarnation and its state, changed only by compare-exchange
// or by whoever holds it. Authority on which transitions exist.
//
//   BLOCKED(i) <--defer-- EXECUTING(i)    BLOCKED(i) --what it waits for settled--> READY(i)
//
//   READY(i) ----claim----> EXECUTING(i) ----finish----> EXECUTED(i) ----commit----> COMMITTED(i)
//      ^                                                     |
//      |                                                 invalidate
//      |                                                     v
//   READY(i+1) <---estimates marked, rewound--------- ABORTING(i)
//
//   READY(i), BLOCKED(i), EXECUTED(i) ----refuse----> ABORTING(i) ----versions withdrawn----> COMMITTED(i)
//
// EXECUTING is held by the lane that claimed it, ABORTING by the worker that invalidated or refused it; nobody
// else leaves these two states. READY, BLOCKED and EXECUTED are left by whoever wins the exchange.

import type { Incarnation } from '../ids.ts'

export const STATE = {
  READY: 0,
  EXECUTING: 1,
  EXECUTED: 2,
  ABORTING: 3,
  COMMITTED: 4,
  BLOCKED: 5,
} as const
export type State = (typeof STATE)[keyof typeof STATE]

const STATE_BITS = 3
const STATE_MASK = (1 << STATE_BITS) - 1

export function packStatus(incarnation: Incarnation | number, state: State): number {
  return (incarnation << STATE_BITS) | state
}
export function stateOf(status: number): State {
  return (status & STATE_MASK) as State
}
export function incarnationOf(status: number): Incarnation {
  return (status >>> STATE_BITS) as Incarnation
}
