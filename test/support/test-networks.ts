// Which rules a network name of ethereum/tests stands for, as ethereumjs' own runners read them.
// Authority on names only; the rules themselves are those of @ethereumjs/common.
// It must not hand out a shared `Common`: running blocks changes its hardfork.
import {
  type Common,
  createCustomCommon,
  type HardforkTransitionConfig,
  Mainnet,
} from '@ethereumjs/common'

import { testKzg } from './kzg.ts'

/** Names that the tests and ethereumjs spell differently. */
const aliases: Record<string, string> = {
  Frontier: 'chainstart',
  EIP150: 'tangerineWhistle',
  EIP158: 'spuriousDragon',
  ConstantinopleFix: 'petersburg',
  Merge: 'paris',
}

/** `AToBAt5`: A's rules from the first block on, B's from block 5 on. */
const atBlock = /^(\w+)To(\w+)At(\d+)$/
/** `AToBAtTime15k`: the same by timestamp. */
const atTime = /^(\w+)To(\w+)AtTime(\d+)k$/

export function commonOfNetwork(network: string): Common {
  const timed = atTime.exec(network)
  if (timed !== null) {
    return transition(forkNamed(timed[1]!), forkNamed(timed[2]!), (name) => ({
      name,
      block: null,
      timestamp: Number(timed[3]) * 1000,
    }))
  }
  const numbered = atBlock.exec(network)
  if (numbered !== null) {
    return transition(forkNamed(numbered[1]!), forkNamed(numbered[2]!), (name) => ({
      name,
      block: Number(numbered[3]),
    }))
  }
  const fork = forkNamed(network)
  return transition(fork, fork, (name) => ({ name, block: 0 }))
}

function forkNamed(name: string): string {
  const wanted = (aliases[name] ?? name).toLowerCase()
  const found = Mainnet.hardforks.find((hardfork) => hardfork.name.toLowerCase() === wanted)
  if (found === undefined) throw new Error(`unknown network: ${name}`)
  return found.name
}

function transition(
  from: string,
  to: string,
  activate: (name: string) => HardforkTransitionConfig,
): Common {
  const names = Mainnet.hardforks.map(({ name }) => name as string)
  const hardforks = names.map((name, index): HardforkTransitionConfig => {
    // The DAO fork at block 0 would demand its extra data of the first ten blocks.
    if (name === 'dao' && to !== 'dao') return { name, block: null }
    if (index <= names.indexOf(from)) return { name, block: 0 }
    return index <= names.indexOf(to) ? activate(name) : { name, block: null }
  })
  const common = createCustomCommon({ hardforks }, Mainnet, {
    hardfork: from,
    customCrypto: { kzg: testKzg() },
  })
  return common
}
