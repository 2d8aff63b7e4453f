// What a measurement is worth nothing without: the machine, Node, and the versions measured.
// The authority on the header's facts.
// Must not name the user, the host or any path.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { availableParallelism, cpus, totalmem } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { type CryptoKind, cryptoKind } from '../../src/index.ts'
import { PLUGIN_ID } from '../plugin-id.ts'

export interface Machine {
  readonly cpu: string
  readonly cores: number
  readonly memoryGiB: number
  readonly platform: string
  /** What recovers senders here: a binary that is missing makes them twenty times as dear. */
  readonly crypto: CryptoKind
}

export interface Versions {
  readonly node: string
  readonly 'parallel-evm': string
  readonly '@ethereumjs/vm': string
  readonly hardhat: string
}

export async function readMachine(): Promise<Machine> {
  return {
    cpu: cpus()[0]?.model.trim() || 'unknown CPU',
    cores: availableParallelism(),
    memoryGiB: Math.round((totalmem() / 2 ** 30) * 10) / 10,
    platform: `${process.platform} ${process.arch}`,
    crypto: await cryptoKind(),
  }
}

export function readVersions(): Versions {
  const require = createRequire(import.meta.url)
  return {
    node: process.versions.node,
    'parallel-evm': versionOf(findPackageRoot(fileURLToPath(import.meta.url), PLUGIN_ID)),
    '@ethereumjs/vm': versionOf(
      findPackageRoot(require.resolve('@ethereumjs/vm'), '@ethereumjs/vm'),
    ),
    hardhat: versionOf(findPackageRoot(require.resolve('hardhat'), 'hardhat')),
  }
}

/** The folder of the package `name` that `file` is in: not every package exports its package.json. */
export function findPackageRoot(file: string, name: string): string | undefined {
  for (let folder = dirname(file); folder !== dirname(folder); folder = dirname(folder)) {
    if (readManifest(folder)?.name === name) return folder
  }
  return undefined
}

function versionOf(packageRoot: string | undefined): string {
  return (packageRoot === undefined ? undefined : readManifest(packageRoot)?.version) ?? 'unknown'
}

function readManifest(folder: string): { name?: string; version?: string } | undefined {
  try {
    return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  } catch {
    return undefined
  }
}
