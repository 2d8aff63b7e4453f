// Reads the regular files of a .tar.gz, one after another, without a dependency.
// Knows ustar headers and long names as GNU and pax tar write them; it must not write anything.
import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'

const blockSize = 512

export interface TarFile {
  readonly name: string
  readonly bytes: Uint8Array
}

export function* readTarGz(path: string): Generator<TarFile> {
  const archive = gunzipSync(readFileSync(path))
  let longName: string | undefined
  for (let offset = 0; offset + blockSize <= archive.length; ) {
    const header = archive.subarray(offset, offset + blockSize)
    const name = textAt(header, 0, 100)
    if (name === '') return
    const size = Number.parseInt(textAt(header, 124, 12), 8)
    const kind = String.fromCharCode(header[156] ?? 0)
    const bytes = archive.subarray(offset + blockSize, offset + blockSize + size)
    offset += blockSize + Math.ceil(size / blockSize) * blockSize
    if (kind === 'L') longName = textAt(bytes, 0, bytes.length)
    else if (kind === 'x') longName = paxPath(bytes) ?? longName
    else if (kind === '0' || kind === '\0') {
      const prefix = textAt(header, 345, 155)
      yield { name: longName ?? (prefix === '' ? name : `${prefix}/${name}`), bytes }
      longName = undefined
    } else longName = undefined
  }
}

function textAt(bytes: Uint8Array, start: number, length: number): string {
  const end = bytes.indexOf(0, start)
  const stop = end === -1 ? start + length : Math.min(end, start + length)
  return Buffer.from(bytes.subarray(start, stop)).toString('utf8').trim()
}

function paxPath(bytes: Uint8Array): string | undefined {
  return /\d+ path=(.*)\n/.exec(Buffer.from(bytes).toString('utf8'))?.[1]
}
