// What the library calls a transaction by.
// Authority on nothing else; the block executor uses positions in the block (src/ids.ts).

/** The caller's own name for a transaction, compared as by `Map`: `1` and `'1'` are two transactions. */
export type TransactionId = string | number
