// What a server grants its clients: sizes, numbers and times.
// Authority on the defaults and the reasons for them.
// Must not be read from anywhere but the options that a server was created with.

export interface ServerLimits {
  /** Bytes of an HTTP body or a WebSocket message. Default 5 MiB: a thousand raw transactions. */
  readonly bodyBytes: number
  /** Bytes of HTTP bodies that are being read or answered, of all clients. Default 128 MiB. */
  readonly allBodiesBytes: number
  /** Requests in one batch. Default 1,000. */
  readonly batchLength: number
  /**
   * Characters of one answer, be it of a batch. What does not fit is answered with an error. Default
   * 128 Mi: below the longest string there can be, so that one answer cannot take all memory.
   */
  readonly responseCharacters: number
  /** TCP connections of both kinds. Further ones are closed at once. Default 256. */
  readonly connections: number
  /** Messages of one connection that are worked on at a time; others wait unread. Default 16. */
  readonly inFlight: number
  /** Bytes that may wait for a WebSocket client to read them before it is cut off. Default 16 MiB. */
  readonly unreadBytes: number
  /** ms in which a client must send a whole request, HTTP only. Default 60,000. */
  readonly requestMs: number
  /** ms in which a client must have read an answer, HTTP only. Default 120,000. */
  readonly responseMs: number
  /** ms between pings to WebSocket clients; who misses two in a row is cut off. Default 30,000. */
  readonly pingMs: number
  /** ms that requests may still take when the server closes. Default 5,000. */
  readonly shutdownMs: number
}

const MIB = 2 ** 20

export const DEFAULT_LIMITS: ServerLimits = {
  bodyBytes: 5 * MIB,
  allBodiesBytes: 128 * MIB,
  batchLength: 1_000,
  responseCharacters: 128 * MIB,
  connections: 256,
  inFlight: 16,
  unreadBytes: 16 * MIB,
  requestMs: 60_000,
  responseMs: 120_000,
  pingMs: 30_000,
  shutdownMs: 5_000,
}
