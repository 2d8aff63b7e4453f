// What a devnet calls itself. The authority on the name, which begins as Hardhat's own network's does:
// that is how plugins and libraries tell what they talk to.

import { readFileSync } from 'node:fs'

const NAME = 'parallel-evm'
/** The Hardhat whose network this one stands for. */
const HARDHAT_VERSION = '3.17.0'

export function clientVersion(): string {
  return `HardhatNetwork/${HARDHAT_VERSION}/${NAME}/${packageVersion()}`
}

let known: string | undefined

function packageVersion(): string {
  known ??= readVersion()
  return known
}

/** From the sources the manifest is two folders up, from the built package three. */
function readVersion(): string {
  for (const path of ['../../package.json', '../../../package.json']) {
    try {
      const manifest: { name?: string; version?: string } = JSON.parse(
        readFileSync(new URL(path, import.meta.url), 'utf8'),
      )
      if (manifest.name === NAME && manifest.version !== undefined) return manifest.version
    } catch {
      // Not there: the next one.
    }
  }
  return '0.0.0'
}
