// Proves that every known pitfall has a test that is named for it.
// Authority on the numbers, 1 to 22. It must not look into the tests, only at their titles.
import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'

const folder = new URL('./', import.meta.url)
const pitfalls = 22

function titlesIn(file: string): string[] {
  const source = readFileSync(new URL(file, folder), 'utf8')
  return [...source.matchAll(/^\s*it\(\s*(['"`])(\d+\..*?)(?<!\\)\1,/gm)].map((match) => match[2]!)
}

describe('the pitfalls', () => {
  const files = readdirSync(folder).filter(
    (file) => file.endsWith('.test.ts') && file !== 'index.test.ts',
  )
  const titles = files.flatMap(titlesIn)

  it(`have a test each, from 1 to ${pitfalls}, and no other numbers are used`, () => {
    const numbers = new Set(titles.map((title) => Number.parseInt(title, 10)))
    const all = Array.from({ length: pitfalls }, (_, index) => index + 1)
    expect([...numbers].sort((a, b) => a - b)).toEqual(all)
  })

  it('are named: every test in this folder has a number and says more than that', () => {
    const tests = files.flatMap((file) => [
      ...readFileSync(new URL(file, folder), 'utf8').matchAll(/^\s*it(\.\w+)?\(/gm),
    ])
    expect(tests.map((match) => match[1]).filter(Boolean)).toEqual([])
    expect(titles.length).toBe(tests.length)
    expect(new Set(titles).size).toBe(titles.length)
    for (const title of titles) expect(title).toMatch(/^\d+\. \S.{20,}/)
  })
})
