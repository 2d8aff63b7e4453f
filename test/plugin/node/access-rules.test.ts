// Holds the reading of Host and Origin headers to what browsers and attackers send.
// The authority on the default: this machine's own names and addresses, and no web page.
// Must not need a server.
import { describe, expect, it } from 'vitest'

import { type AccessOptions, decideAccess } from '../../../plugin/node/access-rules.ts'

const defaults: AccessOptions = { hostname: '127.0.0.1', allowedHosts: [], allowedOrigins: [] }

const isAllowed = (
  headers: { host?: string; origin?: string },
  options: Partial<AccessOptions> = {},
): boolean => decideAccess(headers, { ...defaults, ...options }).isAllowed

describe('the Host header', () => {
  it.each([
    'localhost',
    'localhost:8545',
    'LOCALHOST:8545',
    'app.localhost:1',
    '127.0.0.1',
    '127.0.0.1:8545',
    '192.168.1.7:8545',
    '[::1]',
    '[::1]:8545',
  ])('%s is let in', (host) => {
    expect(isAllowed({ host })).toBe(true)
  })

  it.each([
    '',
    ':8545',
    'evil.example',
    'evil.example:8545',
    'localhost.evil.example',
    'evillocalhost',
    '127.0.0.1.evil.example',
    'localhost@evil.example',
    'localhost/evil',
    'localhost:8545:1',
    '[::1',
    '[evil.example]',
  ])('%j is not', (host) => {
    expect(isAllowed({ host })).toBe(false)
  })

  it('has to be there', () => {
    expect(isAllowed({})).toBe(false)
  })

  it('may be the name that the server is bound to, those of the option, or any with a star', () => {
    expect(isAllowed({ host: 'node.lan:1' }, { hostname: 'node.lan' })).toBe(true)
    expect(isAllowed({ host: 'other.lan' }, { hostname: 'node.lan' })).toBe(false)
    expect(isAllowed({ host: 'a.b' }, { allowedHosts: ['A.b'] })).toBe(true)
    expect(isAllowed({ host: 'evil.example' }, { allowedHosts: ['*'] })).toBe(true)
  })
})

describe('the Origin header', () => {
  const host = 'localhost:8545'

  it('of the node itself and of extensions is let in', () => {
    expect(isAllowed({ host, origin: 'http://localhost:8545' })).toBe(true)
    expect(isAllowed({ host, origin: 'moz-extension://1234' })).toBe(true)
  })

  it.each([
    'https://evil.example',
    'http://localhost',
    'http://localhost:3000',
    'https://localhost:8545',
    'null',
    '',
    'https://chrome-extension://a',
  ])('%j is not', (origin) => {
    expect(isAllowed({ host, origin })).toBe(false)
  })

  it('of the option is let in and told so; of others it is not', () => {
    const options = { ...defaults, allowedOrigins: ['http://localhost:3000'] }
    expect(decideAccess({ host, origin: 'http://localhost:3000' }, options)).toEqual({
      isAllowed: true,
      corsOrigin: 'http://localhost:3000',
    })
    expect(decideAccess({ host, origin: 'http://localhost:30000' }, options)).toEqual({
      isAllowed: false,
      reason: expect.stringContaining('--cors'),
    })
  })
})
