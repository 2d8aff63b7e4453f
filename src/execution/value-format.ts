// How values are told apart in the bytes that cross threads: tags, and numbers for field names.
// Authority on what value-writer.ts and value-reader.ts must agree on. Both run the same version of this
// package, so any release may change it; nothing may store what they write.

/** The byte before every value. */
export const TAG = {
  UNDEFINED: 0,
  NULL: 1,
  FALSE: 2,
  TRUE: 3,
  UINT32: 4,
  NUMBER: 5,
  BIGINT: 6,
  NEGATIVE_BIGINT: 7,
  STRING: 8,
  BYTES: 9,
  ARRAY: 10,
  MAP: 11,
  SET: 12,
  OBJECT: 13,
  EVM_ERROR: 14,
  ERROR: 15,
  ADDRESS: 16,
  BLOOM: 17,
  EMPTY_BLOOM: 18,
} as const

/** Field names that are sent as one byte, their index. The order is free. */
export const KNOWN_KEYS = [
  'accessList',
  'amountSpent',
  'blobGasPrice',
  'blobGasUsed',
  'blockGasSpent',
  'bloom',
  'createdAddress',
  'createdAddresses',
  'cumulativeBlockGasUsed',
  'exceptionError',
  'executionGasUsed',
  'gas',
  'gasRefund',
  'logs',
  'minerValue',
  'preimages',
  'returnValue',
  'selfdestruct',
  'stateGasSpilled',
  'status',
  'totalGasSpent',
  'txRegularGas',
  'txStateGas',
] as const
/** The byte of each of {@link KNOWN_KEYS}. */
export const KEY_NUMBERS = new Map<string, number>(KNOWN_KEYS.map((key, index) => [key, index]))
/** Fields that an object may have: their number is one byte. */
export const MOST_FIELDS = 255
/** In place of a field's number: the name follows. */
export const OTHER_KEY = 255
