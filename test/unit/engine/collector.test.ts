// Holds which versions a collection removes and which it must not, against a model of the rules.
// Must not look at memory; that freed versions are not read is test/histories', with several threads.
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

import { adaptPace } from '../../../src/engine/auto-collector.ts'
import { MvccStore } from '../../../src/engine/mvcc-store.ts'
import { resolveAutoGc } from '../../../src/engine/store-options.ts'
import { run } from '../../docs/run-on-sources.ts'
import { bytes, put, text, valueIn } from './support/values.ts'

describe('a collection', () => {
  it('removes what nobody can read, and says how many versions that were', () => {
    using store = new MvccStore({ maxMiB: 8 })
    for (let i = 0; i < 10; i++) put(store, 'a', `${i}`)
    put(store, 'b', 'only')
    expect(store.gc()).toBe(9)
    expect([store.totalVersions(), store.totalKeys()]).toEqual([2, 2])
    expect([valueIn(store, 'a'), valueIn(store, 'b')]).toEqual(['9', 'only'])
    expect(store.gc()).toBe(0)
    expect(store.getGcStats()).toMatchObject({ collections: 2, automatic: 0, versionsRemoved: 9 })
  })

  it('keeps what the oldest open transaction sees, and all that came after', () => {
    using store = new MvccStore({ maxMiB: 8 })
    for (let i = 0; i < 5; i++) put(store, 'a', `${i}`)
    const reader = store.beginReadOnly()
    for (let i = 5; i < 8; i++) put(store, 'a', `${i}`)
    expect(store.getMinActiveTs()).toBe(5)
    expect(store.gc()).toBe(4)
    expect(store.totalVersions()).toBe(4)
    expect(text(reader.read('a'))).toBe('4')
    reader.commit()
    expect(store.gc()).toBe(3)
  })

  it('keeps a deletion that is the newest version', () => {
    using store = new MvccStore({ maxMiB: 8 })
    put(store, 'a', '1')
    const deleting = store.begin()
    deleting.delete('a')
    deleting.commit()
    expect(store.gc()).toBe(1)
    expect([store.totalVersions(), valueIn(store, 'a')]).toEqual([1, undefined])
  })

  it('keeps as many versions of a key as it is told', () => {
    using store = new MvccStore({ maxMiB: 8, maxVersionsPerKey: 4 })
    for (let i = 0; i < 3; i++) put(store, 'few', `${i}`)
    for (let i = 0; i < 10; i++) put(store, 'many', `${i}`)
    expect(store.gc()).toBe(6)
    expect(store.totalVersions()).toBe(7)
  })

  it('does what the rules say, whatever is open', () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('put' as const), key: fc.integer({ min: 0, max: 2 }) }),
      fc.record({ kind: fc.constantFrom('begin' as const, 'gc' as const) }),
      fc.record({ kind: fc.constant('end' as const), which: fc.nat() }),
    )
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 60 }),
        fc.integer({ min: 1, max: 3 }),
        (steps, most) => {
          using store = new MvccStore({ maxMiB: 1, maxVersionsPerKey: most, expectedKeys: 1 })
          const times = new Map<string, number[]>()
          const readers: {
            open: ReturnType<MvccStore['beginReadOnly']>
            sees: Map<string, number>
          }[] = []
          let clock = 0
          for (const it of steps) {
            if (it.kind === 'put') {
              clock = put(store, `${it.key}`, `${clock + 1}`)
              times.set(`${it.key}`, [clock, ...(times.get(`${it.key}`) ?? [])])
            } else if (it.kind === 'begin') {
              const sees = new Map([...times].map(([key, [newest]]) => [key, newest!]))
              readers.push({ open: store.beginReadOnly(), sees })
            } else if (it.kind === 'end') {
              readers.splice(it.which % (readers.length || 1), 1)[0]?.open.commit()
            } else {
              const watermark = Math.min(clock, ...readers.map(({ open }) => open.startTs))
              for (const [key, all] of times) {
                const readable = all.filter(
                  (time, i) => time > watermark || i === 0 || all[i - 1]! > watermark,
                )
                times.set(key, all.slice(0, Math.max(readable.length, Math.min(all.length, most))))
              }
              store.gc()
              expect(store.totalVersions()).toBe([...times.values()].flat().length)
            }
            for (const { open, sees } of readers) {
              for (const key of ['0', '1', '2']) {
                const expected = sees.get(key)
                expect(text(open.read(key))).toBe(
                  expected === undefined ? undefined : `${expected}`,
                )
              }
            }
          }
          for (const { open } of readers) open.abort()
        },
      ),
      { numRuns: 150 },
    )
  })
})

describe('collection by age', () => {
  beforeEach(() => {
    vi.useFakeTimers()
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  it('removes old versions that number alone would keep', () => {
    using store = new MvccStore({
      maxMiB: 8,
      maxVersionsPerKey: 10,
      enableTimeBasedGc: true,
      versionTtlSecs: 60,
    })
    put(store, 'a', 'old')
    put(store, 'a', 'old too')
    vi.advanceTimersByTime(50_000)
    put(store, 'a', 'young')
    put(store, 'a', 'newest')
    expect(store.gc()).toBe(0)
    vi.advanceTimersByTime(20_000)
    expect(store.gc()).toBe(2)
    vi.advanceTimersByTime(1_000_000)
    expect(store.gc()).toBe(1)
    expect(valueIn(store, 'a')).toBe('newest')
  })
})

describe('automatic collection', () => {
  it('is done by whoever commits past the threshold, until it is stopped', () => {
    using store = new MvccStore({ maxMiB: 8, autoGc: { versionThreshold: 10, intervalSecs: 1000 } })
    expect(store.isAutoGcRunning).toBe(true)
    for (let i = 0; i < 100; i++) put(store, 'a', `${i}`)
    expect(store.totalVersions()).toBeLessThanOrEqual(11)
    expect(store.getGcStats().automatic).toBeGreaterThanOrEqual(9)
    store.stopAutoGc()
    expect(store.isAutoGcRunning).toBe(false)
    for (let i = 0; i < 100; i++) put(store, 'a', `${i}`)
    expect(store.totalVersions()).toBeGreaterThan(100)
  })

  it('is done by a timer that goes on with new settings', () => {
    vi.useFakeTimers()
    try {
      using store = new MvccStore({ maxMiB: 8 })
      const fill = (): void => {
        for (let i = 0; i < 5; i++) put(store, 'a', `${i}`)
      }
      fill()
      store.startAutoGc({
        intervalSecs: 10,
        versionThreshold: 0,
        runOnStart: true,
        enableAdaptive: false,
      })
      expect(store.totalVersions()).toBe(1)
      fill()
      vi.advanceTimersByTime(9_000)
      expect(store.totalVersions()).toBe(6)
      vi.advanceTimersByTime(1_500)
      expect(store.totalVersions()).toBe(1)
      store.updateAutoGcConfig({ intervalSecs: 100 })
      fill()
      vi.advanceTimersByTime(50_000)
      expect(store.totalVersions()).toBe(6)
      vi.advanceTimersByTime(51_000)
      expect(store.totalVersions()).toBe(1)
    } finally {
      vi.useRealTimers()
    }
  })

  it('does not keep the process alive', async () => {
    const { exitCode, output } = await run([
      '--input-type=module',
      '--eval',
      `import { MvccStore } from '${new URL('../../../src/engine/index.ts', import.meta.url)}'
       globalThis.store = new MvccStore({ autoGc: { intervalSecs: 1000 } })
       globalThis.open = store.begin()
       console.log('collects:', store.isAutoGcRunning)`,
    ])
    expect([exitCode, output]).toEqual([0, 'collects: true\n'])
  })

  it('looks sooner where much is written, later where little can go, and comes back', () => {
    const config = resolveAutoGc({ intervalSecs: 1, versionThreshold: 1000 })
    const busy = adaptPace(config, { written: 5000, removed: 4900 }, config)
    expect(busy).toEqual({ intervalSecs: 0.5, versionThreshold: 1000 })
    const held = adaptPace(config, { written: 5000, removed: 10 }, config)
    expect(held.versionThreshold).toBe(2000)
    const idle = adaptPace(config, { written: 10, removed: 10 }, config)
    expect(idle.intervalSecs).toBe(2)
    expect(adaptPace(idle, { written: 1000, removed: 900 }, config).intervalSecs).toBe(1.5)
    let pace = { intervalSecs: 1, versionThreshold: 1000 }
    for (let i = 0; i < 50; i++) pace = adaptPace(pace, { written: 1, removed: 0 }, config)
    expect(pace).toEqual({ intervalSecs: 8, versionThreshold: 8000 })
  })

  it('keeps memory flat after a reader that was open for long', () => {
    using store = new MvccStore({ maxMiB: 32, autoGc: { versionThreshold: 1000 } })
    const reader = store.beginReadOnly()
    const write = (from: number, to: number): void => {
      for (let i = from; i < to; i++) put(store, `key ${i % 100}`, `${i}`)
    }
    write(0, 10_000)
    expect(reader.read('key 5')).toBeUndefined()
    reader.commit()
    write(10_000, 12_000)
    const used = store.getGcStats().bytesUsed
    write(12_000, 40_000)
    expect(store.getGcStats().bytesUsed).toBe(used)
    expect(store.totalVersions()).toBeLessThan(2000)
    expect(valueIn(store, 'key 99')).toBe('39999')
  })
})

describe('a value', () => {
  it('that is not bytes is refused before anything is written', () => {
    using store = new MvccStore({ maxMiB: 8 })
    using transaction = store.begin()
    expect(() => transaction.write('a', 'text' as never)).toThrow(/bytes/)
    transaction.write('b', bytes('1'))
    transaction.commit()
    expect(store.totalKeys()).toBe(1)
  })
})
