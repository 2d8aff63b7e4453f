// Requests that are wrong in some way, drawn from a seed: unknown methods, parameters of the wrong kind,
// number or size, and right ones with something changed.
// The authority on what is drawn. Must not send anything.

/** A small generator (mulberry32): the same requests for the same seed. */
export function createRandom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

export interface MadeRequest {
  readonly method: unknown
  readonly params: unknown
}

type Draw = <T>(list: readonly T[]) => T

const ADDRESS = '0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266'
const HASH = `0x${'ab'.repeat(32)}`

/** Right by themselves, in most places wrong. */
const VALUES: readonly unknown[] = [
  null,
  true,
  false,
  0,
  1,
  -1,
  1.5,
  2 ** 53,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  '',
  '0x',
  '0x0',
  '0x1',
  '0x00',
  '0xzz',
  '0x-1',
  '0x1234',
  `0x${'f'.repeat(64)}`,
  `0x${'f'.repeat(65)}`,
  `0x${'ff'.repeat(5_000)}`,
  'latest',
  'pending',
  'earliest',
  'foo',
  '💥',
  ADDRESS,
  ADDRESS.toUpperCase(),
  `${ADDRESS}00`,
  HASH,
  [],
  {},
  [[]],
  [null],
  [HASH],
  [1, 2, 3],
  { from: ADDRESS },
  { to: ADDRESS, gas: '0x1' },
  { from: ADDRESS, data: '0x5b600056' },
  { data: '0x60006000fd' },
  { from: ADDRESS, gasPrice: '0x1', maxFeePerGas: '0x1' },
  { from: ADDRESS, value: `0x${'f'.repeat(64)}` },
  { from: ADDRESS, nonce: `0x${'f'.repeat(64)}` },
  { accessList: [{ address: ADDRESS, storageKeys: [HASH, '0x1'] }] },
  { authorizationList: [{}] },
  { blockHash: HASH },
  { blockNumber: '0x0' },
  { blockHash: HASH, fromBlock: '0x0' },
  { address: [ADDRESS, 'x'] },
  { topics: [[null, HASH], null] },
  { topics: [1] },
  { fromBlock: '0x5', toBlock: '0x1' },
  { [ADDRESS]: { balance: '0x1', code: '0xfe' } },
  { [ADDRESS]: { state: {}, stateDiff: {} } },
  { [ADDRESS]: { state: { '0x1': '0x1' } } },
  { types: {}, primaryType: 'A', domain: {}, message: {} },
  {
    types: { A: [{ name: 'a', type: 'A' }] },
    primaryType: 'A',
    domain: {},
    message: { a: { a: {} } },
  },
  { types: { A: [{ name: 'a', type: 'A[]' }] }, primaryType: 'A', domain: {}, message: { a: [1] } },
  { __proto__: null, toString: 1 },
  { constructor: 1 },
  'newHeads',
  'logs',
  [10, 50],
  [50, 10],
  '0x02f86b',
  '0xc0',
  '0xf86b',
  '0x01',
  '0x05',
  '0x7f',
  `0x02${'f8'.repeat(300)}`,
]

const METHOD_NAMES: readonly unknown[] = [
  '',
  'eth_foo',
  'ETH_CALL',
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  null,
  1,
  {},
]

const CALL = { from: ADDRESS, to: ADDRESS, gas: '0x10000', value: '0x1', data: '0x' }

/** Requests that are right, to be changed in one place. */
const RIGHT: readonly { readonly method: string; readonly params: readonly unknown[] }[] = [
  { method: 'eth_call', params: [CALL, 'latest', { [ADDRESS]: { balance: '0x1' } }] },
  { method: 'eth_estimateGas', params: [CALL, 'pending'] },
  { method: 'eth_sendTransaction', params: [CALL] },
  { method: 'eth_sendTransaction', params: [{ ...CALL, maxFeePerGas: '0x77359400', type: '0x2' }] },
  {
    method: 'eth_sendTransaction',
    params: [
      {
        ...CALL,
        authorizationList: [
          { chainId: '0x0', address: ADDRESS, nonce: '0x0', yParity: '0x0', r: '0x1', s: '0x1' },
        ],
      },
    ],
  },
  { method: 'eth_getProof', params: [ADDRESS, ['0x0'], 'latest'] },
  { method: 'eth_getStorageAt', params: [ADDRESS, '0x0', 'latest'] },
  { method: 'eth_getBlockByNumber', params: ['0x1', true] },
  {
    method: 'eth_getLogs',
    params: [{ fromBlock: '0x0', toBlock: 'latest', topics: [[HASH], null] }],
  },
  { method: 'eth_feeHistory', params: ['0x2', 'latest', [10, 50]] },
  { method: 'eth_subscribe', params: ['logs', { address: ADDRESS }] },
  { method: 'evm_increaseTime', params: ['0x1'] },
  { method: 'evm_setNextBlockTimestamp', params: [2_000_000_000] },
  { method: 'evm_setBlockGasLimit', params: ['0x3938700'] },
  { method: 'hardhat_mine', params: ['0x10', '0x2'] },
  { method: 'hardhat_setBalance', params: [ADDRESS, '0x8ac7230489e80000'] },
  { method: 'hardhat_setStorageAt', params: [ADDRESS, '0x0', HASH] },
  { method: 'hardhat_setCode', params: [ADDRESS, '0x'] },
  { method: 'hardhat_setNextBlockBaseFeePerGas', params: ['0x7'] },
]

function nearlyRight(random: () => number, draw: Draw): MadeRequest {
  const { method, params } = draw(RIGHT)
  return { method, params: changed(random, draw, params) }
}

/** The same with one part, however deep, changed or left out. */
function changed(random: () => number, draw: Draw, of: unknown): unknown {
  if (typeof of !== 'object' || of === null || random() < 0.1) {
    return random() < 0.5 ? draw(VALUES) : mutated(random, of)
  }
  const copy: Record<string, unknown> | unknown[] = Array.isArray(of) ? [...of] : { ...of }
  const names = Object.keys(copy)
  if (names.length === 0) return draw(VALUES)
  const name = draw(names)
  const parts = copy as Record<string, unknown>
  if (random() < 0.1) delete parts[name]
  else parts[name] = changed(random, draw, parts[name])
  return copy
}

/** One request that a client should not send, or that only looks right. */
export function malformedRequest(random: () => number, methods: readonly string[]): MadeRequest {
  const draw: Draw = (list) => list[Math.floor(random() * list.length)] as (typeof list)[number]
  if (random() < 0.4) return nearlyRight(random, draw)
  const method = random() < 0.05 ? draw(METHOD_NAMES) : draw(methods)
  if (random() < 0.03) return { method, params: draw(VALUES) }
  const count = Math.floor(random() * 5)
  return { method, params: Array.from({ length: count }, () => value(random, draw, 0)) }
}

function value(random: () => number, draw: Draw, depth: number): unknown {
  const kind = random()
  if (kind < 0.75 || depth > 3) return mutated(random, draw(VALUES))
  if (kind < 0.85) return Array.from({ length: 3 }, () => value(random, draw, depth + 1))
  const names = ['from', 'to', 'gas', 'data', 'value', 'nonce', 'type', 'topics', 'address', 'x']
  return Object.fromEntries(
    Array.from({ length: 3 }, () => [draw(names), value(random, draw, depth + 1)]),
  )
}

/** Sometimes with one character changed. */
function mutated(random: () => number, of: unknown): unknown {
  if (typeof of !== 'string' || of.length === 0 || random() < 0.7) return of
  const at = Math.floor(random() * of.length)
  return of.slice(0, at) + String.fromCharCode(32 + Math.floor(random() * 95)) + of.slice(at + 1)
}
