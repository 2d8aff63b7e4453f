// How the benchmark puts a location into words.
import { expect, it } from 'vitest'
import { locationText, nameLocation, touchedText } from '../../../plugin/bench/hot-locations.ts'

const address = `0x12345678${'00'.repeat(12)}90abcdef` as const
const slot = `0x${'00'.repeat(31)}02` as const
const counts = { readers: 0, writers: 0, adders: 0 }

it('a location is called by the name of its contract, where that has one', () => {
  const names = new Map<string, string>([[address, 'Pool 3']])
  const named = nameLocation({ field: 'slot', address, slot, ...counts }, names)
  expect(named).toEqual({ field: 'slot', address, slot, ...counts, contract: 'Pool 3' })
  expect(locationText(named)).toBe('slot 2 of Pool 3')
  const unnamed = nameLocation({ field: 'balance', address, ...counts }, new Map())
  expect(unnamed.contract).toBeNull()
  expect(locationText(unnamed)).toBe('balance of 0x12345678…90abcdef')
})

it('a slot is a number where a compiler gave it, and a hash elsewhere', () => {
  const textOf = (key: `0x${string}`) =>
    locationText({ field: 'slot', address, slot: key, ...counts, contract: 'Token 1' })
  expect(textOf(`0x${'00'.repeat(30)}ffff`)).toBe('slot 65535 of Token 1')
  expect(textOf(`0xfedcba98${'00'.repeat(24)}76543210`)).toBe('slot 0xfedcba98…76543210 of Token 1')
})

it('those who touched a location are counted by what they did', () => {
  const textOf = (change: Partial<typeof counts>) =>
    touchedText({ field: 'balance', address, ...counts, ...change })
  expect(textOf({ writers: 120 })).toBe('120 writers')
  expect(textOf({ writers: 1, readers: 2, adders: 1 })).toBe('1 writer, 2 readers, 1 adder')
})
