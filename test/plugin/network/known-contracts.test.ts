// What is known of a project's contracts: all that its build infos tell, and nothing where they tell nothing.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { hexToBytes } from '@ethereumjs/util'
import type { ArtifactManager } from 'hardhat/types/artifacts'
import { expect, it } from 'vitest'

import { knownContracts } from '../../../plugin/network/known-contracts.ts'

const outputOf = (code: string) =>
  JSON.stringify({
    output: { contracts: { 'a.sol': { Named: { evm: { deployedBytecode: { object: code } } } } } },
  })

it('reads each build info once, those that come later too, and passes over what it cannot read', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'parallel-evm-'))
  const ids = new Set(['good', 'cut', 'gone'])
  const manager = {
    getAllBuildInfoIds: async () => ids,
    getBuildInfoOutputPath: async (id: string) =>
      id === 'gone' ? undefined : join(folder, `${id}.json`),
  } as unknown as ArtifactManager
  try {
    await writeFile(join(folder, 'good.json'), outputOf('6001'))
    await writeFile(join(folder, 'cut.json'), outputOf('6002').slice(0, 20))
    const first = await knownContracts(manager)
    expect(first.find(hexToBytes('0x6001'), false)?.name).toBe('Named')
    expect(first.find(hexToBytes('0x6003'), false)).toBeUndefined()

    ids.add('later')
    await writeFile(join(folder, 'later.json'), outputOf('6003'))
    await writeFile(join(folder, 'good.json'), outputOf('6004'))
    const [second] = await Promise.all([knownContracts(manager), knownContracts(manager)])
    expect(second.find(hexToBytes('0x6003'), false)?.name).toBe('Named')
    expect(second.find(hexToBytes('0x6004'), false)).toBeUndefined()
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})
