// The world of random blocks with rich actors, under any hardfork, on stock's state manager and on a flat one.
// Authority on nothing: what is done with it, and what it proves, is the tests' matter.
import { createVM, type VM } from '@ethereumjs/vm'
import { createFlatState } from '../../src/index.ts'
import { makeWorld, richActors, type World } from './hand-made-block.ts'
import { worldRecords } from './random-world.ts'

const accounts = { ...worldRecords(), ...richActors }
const worlds = new Map<string, Promise<World>>()

/** With all contracts of random blocks; every actor has 100 ether. */
export function fullWorld(hardfork = 'prague'): Promise<World> {
  const made = worlds.get(hardfork) ?? makeWorld({ hardfork, accounts })
  worlds.set(hardfork, made)
  return made
}

export const stateKinds = ['merkle', 'flat'] as const
export type StateKind = (typeof stateKinds)[number]

/** A VM on a full world's state. */
export async function fullVm(world: World, kind: StateKind): Promise<VM> {
  const vm = await world.vm()
  if (kind === 'merkle') return vm
  const { common, blockchain } = vm
  const stateManager = await createFlatState({ common })
  await stateManager.importAlloc(accounts)
  return createVM({ common, blockchain, stateManager })
}
