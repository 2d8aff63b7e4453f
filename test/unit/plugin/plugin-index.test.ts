// The plugin's index describes and loads nothing: every Hardhat command pays for it.
import { execFileSync } from 'node:child_process'
import { expect, it } from 'vitest'
import plugin from '../../../plugin/index.ts'

const repository = new URL('../../../', import.meta.url)

it("importing the plugin's index loads neither ethereumjs nor the benchmark nor the executor", () => {
  const program = `
    import { registerHooks } from 'node:module'
    const loaded = []
    registerHooks({ load(url, context, next) { loaded.push(url); return next(url, context) } })
    await import('./plugin/index.ts')
    console.log(JSON.stringify(loaded))
  `
  const output = execFileSync(process.execPath, ['--input-type=module', '-e', program], {
    cwd: repository,
    encoding: 'utf8',
  })
  const loaded = JSON.parse(output) as string[]
  const own = loaded
    .filter((url) => url.startsWith(repository.href) && !url.includes('/node_modules/'))
    .map((url) => url.slice(repository.href.length))
  expect(own.sort()).toEqual(['plugin/index.ts', 'plugin/plugin-id.ts'])
  expect(loaded.filter((url) => /node_modules\/(@ethereumjs|piscina|solc)\//.test(url))).toEqual([])
})

it('the plugin is known under the name of its package', () => {
  expect(plugin.id).toBe('parallel-evm')
  expect(plugin.npmPackage).toBe('parallel-evm')
  expect(plugin.tasks?.map(({ id }) => id)).toEqual([['parallel-bench'], ['parallel-node']])
})
