// Which browsers and host names a server answers to.
// Authority on the Host and Origin headers: what is let in by default, and what an option adds.
// Must not be taken for authentication: it protects a developer from web pages, not from programs.
import { isIP } from 'node:net'

export interface AccessOptions {
  /** The name or address that the server is bound to. */
  readonly hostname: string
  /** Further names for the Host header; `*` lets in all. */
  readonly allowedHosts: readonly string[]
  /** Origins of web pages, such as `http://localhost:3000`; `*` lets in all. */
  readonly allowedOrigins: readonly string[]
}

export type AccessDecision =
  | { readonly isAllowed: true; readonly corsOrigin?: string }
  | { readonly isAllowed: false; readonly reason: string }

/** Extensions have such origins, and no web page can take one. Wallets are extensions. */
const EXTENSION = /^(chrome|moz|safari-web)-extension:\/\//

/**
 * Without it, any web page that a developer visits could use the node: by a name that resolves to
 * 127.0.0.1 (which the Host header tells), by a WebSocket, or by a POST whose answer it cannot read
 * (which the Origin header tells; browsers send it with all of these).
 */
export function decideAccess(
  headers: { readonly host?: string | undefined; readonly origin?: string | undefined },
  options: AccessOptions,
): AccessDecision {
  const { host, origin } = headers
  if (!isHostAllowed(host, options)) {
    return {
      isAllowed: false,
      reason: `the Host header ${quote(host)} is not allowed; allow it with --allowed-hosts`,
    }
  }
  if (origin === undefined || EXTENSION.test(origin)) return { isAllowed: true }
  if (options.allowedOrigins.includes('*')) return { isAllowed: true, corsOrigin: '*' }
  if (options.allowedOrigins.includes(origin)) return { isAllowed: true, corsOrigin: origin }
  if (origin === `http://${host}`) return { isAllowed: true }
  return {
    isAllowed: false,
    reason: `web pages of ${quote(origin)} are not allowed; allow them with --cors`,
  }
}

/** Addresses are let in: it is names that can be made to lead here. */
function isHostAllowed(host: string | undefined, options: AccessOptions): boolean {
  if (options.allowedHosts.includes('*')) return true
  const name = hostName(host)
  if (name === undefined) return false
  if (name === 'localhost' || name.endsWith('.localhost') || isIP(name) !== 0) return true
  return [options.hostname, ...options.allowedHosts].some(
    (allowed) => allowed.toLowerCase() === name,
  )
}

/** The header without its port and brackets; undefined where it is no host at all. */
function hostName(host: string | undefined): string | undefined {
  const match = /^(?:\[([0-9a-f:.]+)\]|([^\s:/?#@[\]]+))(?::\d{1,5})?$/i.exec(host ?? '')
  return (match?.[1] ?? match?.[2])?.toLowerCase()
}

function quote(text: string | undefined): string {
  return text === undefined ? '(none)' : JSON.stringify(text.slice(0, 100))
}
