// What a project's build infos tell of its contracts: explanations of failures name them.
// The authority on when build infos are read: with the first failure that they could explain, each once.
// Must not fail for one that cannot be read: then less is known, as without it.
import { readFile } from 'node:fs/promises'
import type { ArtifactManager } from 'hardhat/types/artifacts'

import {
  type CompilerOutput,
  type ContractArtifacts,
  createContractArtifacts,
} from '../devnet/tracing/failure/contract-artifacts.ts'
import type { ContractResolver } from '../devnet/tracing/failure/contract-resolver.ts'

interface Known {
  readonly artifacts: ContractArtifacts
  /** Build infos that were read. */
  readonly ids: Set<string>
  /** Reads what has come since, one caller after the other. */
  reading: Promise<void>
}

/** Connections of one project share them. */
const known = new WeakMap<ArtifactManager, Known>()

export async function knownContracts(manager: ArtifactManager): Promise<ContractResolver> {
  let of = known.get(manager)
  if (of === undefined) {
    of = { artifacts: createContractArtifacts(), ids: new Set(), reading: Promise.resolve() }
    known.set(manager, of)
  }
  const current = of
  current.reading = current.reading.then(() => readNew(manager, current))
  await current.reading
  return current.artifacts
}

async function readNew(manager: ArtifactManager, { artifacts, ids }: Known): Promise<void> {
  const all = await manager.getAllBuildInfoIds().catch(() => new Set<string>())
  for (const id of all) {
    if (ids.has(id)) continue
    ids.add(id)
    const output = await readOutput(manager, id)
    if (output !== undefined) artifacts.add(output)
  }
}

async function readOutput(
  manager: ArtifactManager,
  id: string,
): Promise<CompilerOutput | undefined> {
  try {
    const path = await manager.getBuildInfoOutputPath(id)
    if (path === undefined) return undefined
    const info = JSON.parse(await readFile(path, 'utf8')) as { output?: CompilerOutput }
    return info.output
  } catch {
    return undefined
  }
}
