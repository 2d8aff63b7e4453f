// Branded identifiers, so that an index into one structure cannot be used in another.
// Authority on what the integers that travel through shared memory mean; holds no logic.

declare const brand: unique symbol

/** Position of a transaction in its block, 0-based: the canonical order. */
export type TxIndex = number & { readonly [brand]: 'TxIndex' }
/** How often a transaction has been executed before, 0 for the first execution. */
export type Incarnation = number & { readonly [brand]: 'Incarnation' }
/** Word offset of an account or slot record in the state region. */
export type RecordId = number & { readonly [brand]: 'RecordId' }
/** Word offset, in the state region, of the head of one location's version list. */
export type LocationId = number & { readonly [brand]: 'LocationId' }
/** Word offset of a version node or payload in the block region. */
export type BlockOffset = number & { readonly [brand]: 'BlockOffset' }
/** 0-based number of a worker within its executor. */
export type WorkerId = number & { readonly [brand]: 'WorkerId' }

/** No transaction: nothing to claim, nothing to wait for. */
export const NOTHING = -1

/** The writer of a value that no transaction of the block wrote: the state before the block. */
export const BASE_WRITER = -1

/** The incarnation of values that a transaction is said to leave before it ran: those of an access list. */
export const LISTED_INCARNATION = -1 as Incarnation
