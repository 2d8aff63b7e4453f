// The runtime code of sample-contracts.sol, compiled when a test asks for it.
// Authority on nothing; the settings are those of the benchmark's contracts.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { PrefixedHexString } from '@ethereumjs/util'

type Name = 'Ledger' | 'Proxy' | 'Router' | 'OtherToken'

interface Compiler {
  compile(input: string): string
}

interface Output {
  readonly errors?: readonly { readonly severity: string; readonly formattedMessage: string }[]
  readonly contracts: {
    readonly sample: Record<Name, { evm: { deployedBytecode: { object: string } } }>
  }
}

const source = new URL('./sample-contracts.sol', import.meta.url)

/** Takes about a second. */
export function compileSamples(): Record<Name, PrefixedHexString> {
  const compiler = createRequire(import.meta.url)('solc') as Compiler
  const output: Output = JSON.parse(
    compiler.compile(
      JSON.stringify({
        language: 'Solidity',
        sources: { sample: { content: readFileSync(source, 'utf8') } },
        settings: {
          evmVersion: 'prague',
          optimizer: { enabled: true, runs: 200 },
          metadata: { bytecodeHash: 'none', appendCBOR: false },
          outputSelection: { '*': { '*': ['evm.deployedBytecode.object'] } },
        },
      }),
    ),
  )
  const errors = (output.errors ?? []).filter(({ severity }) => severity === 'error')
  if (errors.length > 0) throw new Error(errors.map((each) => each.formattedMessage).join('\n'))
  const codes = Object.entries(output.contracts.sample).map(
    ([name, { evm }]) => [name, `0x${evm.deployedBytecode.object}`] as const,
  )
  return Object.fromEntries(codes) as Record<Name, PrefixedHexString>
}
