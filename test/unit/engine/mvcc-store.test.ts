// Holds what a transaction on a store sees, what it may commit, and how misuse is answered.
// Must not depend on how versions lie in memory; histories of several threads are test/histories'.
import { setImmediate as nextTurn } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { describe, expect, it } from 'vitest'

import { MvccStore } from '../../../src/engine/mvcc-store.ts'
import { WriteConflictError } from '../../../src/engine/write-conflict-error.ts'
import { bytes, errorOf, put, text, valueIn } from './support/values.ts'

describe('a store', () => {
  it('shows a transaction its own writes, and others only when it has committed', () => {
    using store = new MvccStore({ maxMiB: 8 })
    const writer = store.begin()
    writer.write('a', bytes('1'))
    expect(text(writer.read('a'))).toBe('1')
    expect(valueIn(store, 'a')).toBeUndefined()
    writer.commit()
    expect(valueIn(store, 'a')).toBe('1')
  })

  it('shows a transaction the store as it was when it began, however often it looks', () => {
    using store = new MvccStore({ maxMiB: 8 })
    put(store, 'a', '1')
    const reader = store.beginReadOnly()
    const other = store.begin()
    expect(text(reader.read('a'))).toBe('1')
    put(store, 'a', '2')
    put(store, 'b', '1')
    for (const it of [reader, other]) {
      expect(text(it.read('a'))).toBe('1')
      expect(it.read('b')).toBeUndefined()
      it.commit()
    }
    expect(valueIn(store, 'a')).toBe('2')
  })

  it('never shows what was given up', () => {
    using store = new MvccStore({ maxMiB: 8 })
    {
      using given = store.begin()
      given.write('a', bytes('1'))
    }
    const thrown = store.begin()
    thrown.write('b', bytes('1'))
    thrown.abort()
    expect([valueIn(store, 'a'), valueIn(store, 'b')]).toEqual([undefined, undefined])
    expect(store.activeTransactions()).toBe(0)
  })

  it('lets the first of two writers of a key commit, and tells the other which key it was', () => {
    using store = new MvccStore({ maxMiB: 8 })
    put(store, 'balance', '10')
    const [one, two] = [store.begin(), store.begin()]
    two.write('other', bytes('x'))
    one.write('balance', bytes('11'))
    two.write('balance', bytes('12'))
    one.commit()
    const error = errorOf(() => two.commit())
    expect(error).toBeInstanceOf(WriteConflictError)
    expect(error).toMatchObject({ code: 'WRITE_CONFLICT', key: bytes('balance'), access: 'write' })
    expect(error.message).toContain('"balance"')
    expect(valueIn(store, 'balance')).toBe('11')
    expect(valueIn(store, 'other')).toBeUndefined()
    expect(store.activeTransactions()).toBe(0)
  })

  it('finds conflicts key by key, whatever else two transactions write', () => {
    using store = new MvccStore({ maxMiB: 8 })
    const [one, two] = [store.begin(), store.begin()]
    one.write('a', bytes('1'))
    two.write('b', bytes('1'))
    expect(two.commit()).toBe(1)
    expect(one.commit()).toBe(2)
  })

  it('takes a deletion for a write', () => {
    using store = new MvccStore({ maxMiB: 8 })
    put(store, 'a', '1')
    const [one, two] = [store.begin(), store.begin()]
    one.delete('a')
    expect(one.read('a')).toBeUndefined()
    two.write('a', bytes('2'))
    one.commit()
    expect(errorOf(() => two.commit()).code).toBe('WRITE_CONFLICT')
    expect(valueIn(store, 'a')).toBeUndefined()
  })

  it('with snapshot isolation lets write skew happen, as snapshot isolation does', () => {
    expect(bothLeave('snapshot')).toBe(true)
  })

  it('with isolation serializable does not', () => {
    expect(bothLeave('serializable')).toBe(false)
  })

  it('with isolation serializable notices a key that came into being', () => {
    using store = new MvccStore({ maxMiB: 8 })
    const transaction = store.begin({ isolation: 'serializable' })
    expect(transaction.read('later')).toBeUndefined()
    transaction.write('a', bytes('1'))
    put(store, 'later', '1')
    const error = errorOf(() => transaction.commit())
    expect(error).toMatchObject({ code: 'WRITE_CONFLICT', key: bytes('later'), access: 'read' })
  })

  it('keeps keys and values apart that look alike', () => {
    using store = new MvccStore({ maxMiB: 64, expectedKeys: 1 })
    const keys = [
      '',
      'a',
      'a\0',
      'ä',
      'x'.repeat(31),
      'x'.repeat(32),
      'x'.repeat(33),
      'x'.repeat(5000),
    ]
    const big = new Uint8Array(3_000_000).map((_, i) => i * 7)
    const filling = store.begin()
    for (const key of keys) filling.write(key, bytes(`of ${key}`))
    filling.write('big', big)
    filling.write('empty', new Uint8Array())
    filling.commit()
    for (const key of keys) expect(valueIn(store, key)).toBe(`of ${key}`)
    using reader = store.beginReadOnly()
    expect(Buffer.compare(reader.read('big')!, big)).toBe(0)
    expect(reader.read(bytes('empty'))).toEqual(new Uint8Array())
    expect(store.totalKeys()).toBe(keys.length + 2)
  })

  it('takes copies of values, and hands out copies', () => {
    using store = new MvccStore({ maxMiB: 8 })
    const value = bytes('1')
    const writer = store.begin()
    writer.write('a', value)
    value[0] = 0
    writer.read('a')![0] = 0
    writer.commit()
    using reader = store.beginReadOnly()
    reader.read('a')![0] = 0
    expect(text(reader.read('a'))).toBe('1')
  })

  it('takes copies of Buffers too, whose slices are views', () => {
    using store = new MvccStore({ maxMiB: 8 })
    const value = Buffer.from('1')
    const writer = store.begin()
    writer.write('a', value)
    value[0] = 0
    writer.read('a')![0] = 0
    writer.commit()
    expect(valueIn(store, 'a')).toBe('1')
  })

  it('frees transactions that were left open when nobody has them any more', async () => {
    using store = new MvccStore({ maxMiB: 8 })
    const { setFlagsFromString } = await import('node:v8')
    setFlagsFromString('--expose-gc')
    const collectGarbage = (await import('node:vm')).runInNewContext('gc') as () => void
    for (let i = 0; i < 10; i++) store.begin()
    expect(store.getMinActiveTs()).toBe(0)
    for (let i = 0; i < 50 && store.activeTransactions() > 0; i++) {
      await nextTurn()
      collectGarbage()
    }
    expect(store.activeTransactions()).toBe(0)
    expect(store.getMinActiveTs()).toBeUndefined()
  })
})

describe('a thread', () => {
  it('that ends without having disposed of a store leaves nothing open, and its commits', async () => {
    using store = new MvccStore({ maxMiB: 8 })
    const engine = new URL('../../../src/engine/index.ts', import.meta.url).href
    for (const end of ['', 'process.exit(0)', 'throw new Error("of the thread")']) {
      const code = `
        import { workerData } from 'node:worker_threads'
        import { MvccStore } from '${engine}'
        const store = MvccStore.attach(workerData)
        const done = store.begin()
        done.write('from a thread', Uint8Array.of(65))
        done.commit()
        globalThis.open = [store, store.begin()]
        ${end}`
      const url = new URL(`data:text/javascript,${encodeURIComponent(code)}`)
      const thread = new Worker(url, { workerData: store.handle })
      thread.on('error', () => {})
      await new Promise((resolve) => thread.once('exit', resolve))
      expect(store.activeTransactions(), end).toBe(0)
      expect(valueIn(store, 'from a thread')).toBe('A')
    }
    expect(store.gc()).toBe(2)
  })
})

describe('misuse of a store', () => {
  it('is a typed error that says what to do', () => {
    const store = new MvccStore({ maxMiB: 8, maxTransactions: 2 })
    const done = store.begin()
    done.commit()
    const readOnly = store.beginReadOnly()
    const codes = [
      [() => done.commit(), 'TRANSACTION_ENDED', 'begin another'],
      [() => done.read('a'), 'TRANSACTION_ENDED', 'committed already'],
      [() => readOnly.write('a', bytes('1')), 'READ_ONLY', 'begin()'],
      [() => readOnly.delete('a'), 'READ_ONLY', 'begin()'],
      [() => readOnly.read(5 as never), 'INVALID_ARGUMENT', 'text or bytes'],
      [() => store.begin() && store.begin(), 'STORE_FULL', 'maxTransactions'],
      [() => new MvccStore({ maxMib: 8 } as never), 'INVALID_OPTION', 'maxMiB'],
      [() => new MvccStore({ maxMiB: 0 }), 'INVALID_OPTION', '1 to 1024'],
      [() => new MvccStore({ autoGc: { intervalSecs: 0 } }), 'INVALID_OPTION', 'above 0'],
      [() => store.updateAutoGcConfig({}), 'INVALID_ARGUMENT', 'startAutoGc'],
      [() => MvccStore.attach({} as never), 'INVALID_ARGUMENT', 'store.handle'],
      [() => readOnly.read(Symbol('a') as never), 'INVALID_ARGUMENT', 'text or bytes'],
      [() => store.begin({ isolation: 'serialisable' as never }), 'INVALID_OPTION', '"snapshot"'],
      [() => store.begin({ isolatoin: 'snapshot' } as never), 'INVALID_OPTION', 'isolation'],
      [() => store.begin('serializable' as never), 'INVALID_OPTION', 'an object'],
    ] as const
    for (const [misuse, code, hint] of codes) {
      const error = errorOf(misuse)
      expect(error.code, error.message).toBe(code)
      expect(error.message).toContain(hint)
    }
    const left = MvccStore.attach(store.handle)
    readOnly.abort()
    const open = left.beginReadOnly()
    left.dispose()
    expect(errorOf(() => open.read('a')).code).toBe('DISPOSED')
    store.dispose()
    store.dispose()
    for (const use of [
      () => store.begin(),
      () => store.gc(),
      () => MvccStore.attach(store.handle),
    ]) {
      expect(errorOf(use).code).toBe('DISPOSED')
    }
  })

  it('commits nothing to a store that is disposed elsewhere', () => {
    const store = new MvccStore({ maxMiB: 8 })
    using elsewhere = MvccStore.attach(store.handle)
    const writer = elsewhere.begin()
    writer.write('a', bytes('1'))
    store.dispose()
    expect(errorOf(() => writer.commit()).code).toBe('DISPOSED')
    expect(writer.isOpen).toBe(false)
  })

  it('ends a transaction that does not fit, and leaves the store usable', () => {
    using store = new MvccStore({ maxMiB: 1 })
    put(store, 'a', '1')
    const large = store.begin()
    large.write('a', bytes('2'))
    large.write('b', new Uint8Array(2 ** 20))
    const error = errorOf(() => large.commit())
    expect(error.code).toBe('STORE_FULL')
    expect(error.message).toContain('maxMiB')
    expect(large.isOpen).toBe(false)
    expect(valueIn(store, 'a')).toBe('1')
    put(store, 'a', '3')
    expect(valueIn(store, 'a')).toBe('3')
  })

  it('uses memory again before it calls the store full', () => {
    using store = new MvccStore({ maxMiB: 1 })
    for (let i = 0; i < 200; i++) put(store, 'a', 'x'.repeat(100_000))
    expect(valueIn(store, 'a')).toHaveLength(100_000)
  })

  it('keeps room for new keys and larger values, however often old ones are written', () => {
    using store = new MvccStore({ maxMiB: 1 })
    for (let i = 0; i < 40_000; i++) put(store, 'a', 'small')
    for (let i = 0; i < 1000; i++) put(store, `new ${i}`, 'larger than before'.repeat(2))
    expect(valueIn(store, 'new 999')).toContain('larger')
    expect(store.getGcStats().automatic).toBeLessThan(100)
  })

  it('does not collect in vain again and again where a reader holds what fills it', () => {
    using store = new MvccStore({ maxMiB: 1 })
    using reader = store.beginReadOnly()
    const fill = (): void => {
      for (let i = 0; i < 100_000; i++) put(store, 'a', `${i}`)
    }
    expect(errorOf(fill).code).toBe('STORE_FULL')
    const { collections, versions } = store.getGcStats()
    expect(versions).toBeGreaterThan(25_000)
    expect(collections).toBeLessThan(20)
    expect(reader.read('a')).toBeUndefined()
    reader.abort()
    put(store, 'a', 'fits again')
  })

  it('loses no memory to commits that lose, or that do not fit', () => {
    using store = new MvccStore({ maxMiB: 1 })
    const value = new Uint8Array(1000)
    for (let i = 0; i < 3000; i++) {
      using late = store.begin()
      put(store, 'a', 'first')
      late.write('b', value)
      late.write('a', value)
      expect(errorOf(() => late.commit()).code).toBe('WRITE_CONFLICT')
    }
    for (let i = 0; i < 300; i++) {
      using large = store.begin()
      for (let key = 0; key < 10; key++) large.write(`small ${key}`, value)
      large.write('too large', new Uint8Array(2 ** 20))
      expect(errorOf(() => large.commit()).code).toBe('STORE_FULL')
    }
    for (let key = 0; key < 100; key++) put(store, `key ${key}`, 'x'.repeat(1000))
  })

  it('loses no memory to threads that come and go', () => {
    using store = new MvccStore({ maxMiB: 1 })
    for (let i = 0; i < 3000; i++) {
      using thread = MvccStore.attach(store.handle)
      put(thread, `key ${i}`, 'value')
    }
    expect(store.totalKeys()).toBe(3000)
  })
})

/** Two doctors on call, of whom one must stay, each look at the other and leave. */
function bothLeave(isolation: 'snapshot' | 'serializable'): boolean {
  using store = new MvccStore({ maxMiB: 8 })
  put(store, 'alice', 'on call')
  put(store, 'bob', 'on call')
  const [alice, bob] = [store.begin({ isolation }), store.begin({ isolation })]
  if (text(alice.read('bob')) === 'on call') alice.write('alice', bytes('off'))
  if (text(bob.read('alice')) === 'on call') bob.write('bob', bytes('off'))
  alice.commit()
  try {
    bob.commit()
  } catch {
    return false
  }
  return valueIn(store, 'alice') === 'off' && valueIn(store, 'bob') === 'off'
}
