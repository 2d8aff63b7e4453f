// Preload (`node --import`): makes `parallel-evm` mean the sources, as it means dist/ in the package.
// The authority on how examples and snippets run without a build. Worker threads inherit it.
// Must not change how anything else is resolved.
import { registerHooks } from 'node:module'

const entries = new Map([
  ['parallel-evm', new URL('../../src/index.ts', import.meta.url).href],
  ['parallel-evm/engine', new URL('../../src/engine/index.ts', import.meta.url).href],
  ['parallel-evm/hardhat', new URL('../../plugin/index.ts', import.meta.url).href],
])

registerHooks({
  resolve: (specifier, context, next) => next(entries.get(specifier) ?? specifier, context),
})
