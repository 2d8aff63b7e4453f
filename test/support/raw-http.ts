// HTTP requests with any headers, as browsers and programs that mean no good would send them.
// The authority on nothing; `fetch` does not let one set Host or Origin.
// Must not retry or follow anything.
import { type IncomingHttpHeaders, request } from 'node:http'

export interface RawAnswer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

export function sendHttp(
  port: number,
  {
    method = 'POST',
    path = '/',
    headers = {},
    body = '',
  }: {
    method?: string
    path?: string
    headers?: Record<string, string>
    body?: string | Buffer
  } = {},
): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ host: '127.0.0.1', port, method, path, headers, agent: false })
    outgoing.once('error', reject)
    outgoing.once('response', (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.once('error', reject)
      response.once('end', () => {
        const { statusCode = 0, headers: received } = response
        resolve({ status: statusCode, headers: received, body: Buffer.concat(chunks).toString() })
      })
    })
    outgoing.end(body)
  })
}
