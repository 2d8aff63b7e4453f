// What users of a network read: lines that contracts print, and failures told with a project's own names.
// The authority on both being what they are on Hardhat's own network.
// Must not compile through Hardhat, which would want to fetch a compiler: build infos are written by hand.
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createHardhatRuntimeEnvironment } from 'hardhat/hre'
import type { HardhatRuntimeEnvironment } from 'hardhat/types/hre'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'

import plugin from '../../../plugin/index.ts'
import { compilePrinter, type Printer, printerInput } from './printing-contract.ts'

const from = '0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266'
const id = 'solc-0_8_37-0000000000000000000000000000000000000000'

let printer: Printer
let project: string
let hre: HardhatRuntimeEnvironment

beforeAll(async () => {
  printer = compilePrinter()
  project = await mkdtemp(join(tmpdir(), 'parallel-evm-'))
  const buildInfos = join(project, 'artifacts', 'build-info')
  await mkdir(buildInfos, { recursive: true })
  const info = {
    _format: 'hh3-sol-build-info-1',
    ...{ id, solcVersion: '0.8.37', solcLongVersion: '0.8.37', userSourceNameMap: {} },
    input: printerInput,
  }
  const output = { _format: 'hh3-sol-build-info-output-1', id, output: printer.output }
  await writeFile(join(buildInfos, `${id}.json`), JSON.stringify(info))
  await writeFile(join(buildInfos, `${id}.output.json`), JSON.stringify(output))
  await writeFile(join(project, 'package.json'), '{"type":"module"}')
  hre = await createHardhatRuntimeEnvironment({ plugins: [plugin] }, {}, project)
})
afterAll(() => rm(project, { recursive: true, force: true }))

interface Session {
  readonly lines: string[]
  readonly answers: unknown[]
}

/** What a user sees who does all that there is to be done with the contract. */
async function run(network: string): Promise<Session> {
  const connection = await hre.network.create(network)
  const lines: string[] = []
  const print = vi.spyOn(console, 'log').mockImplementation((...args) => {
    lines.push(args.join(' '))
  })
  const answers: unknown[] = []
  const ask = async (method: string, ...params: unknown[]): Promise<unknown> => {
    lines.push(`> ${method}`)
    try {
      const answer = await connection.provider.request({ method, params })
      answers.push(answer)
      return answer
    } catch (error) {
      const { code, message, data } = error as { code: unknown; message: string; data: unknown }
      answers.push({ code, message, data })
      return undefined
    }
  }
  try {
    const gas = '0x7a1200'
    const hash = await ask('eth_sendTransaction', { from, gas, data: printer.bytecode })
    const receipt = (await connection.provider.request({
      method: 'eth_getTransactionReceipt',
      params: [hash],
    })) as { contractAddress: string }
    const to = receipt.contractAddress
    for (const signature of ['print()', 'printAndFail()']) {
      const call = { from, to, gas, data: printer.selector(signature) }
      await ask('eth_call', call)
      await ask('eth_estimateGas', call)
      await ask('eth_sendTransaction', call)
    }
    await ask('eth_sendTransaction', { from, to, gas, data: '0x12345678' })
    const waiting = { from, to, gas, data: printer.selector('print()') }
    await ask('evm_setAutomine', false)
    await ask('eth_sendTransaction', waiting)
    await ask('evm_mine')
    await ask('eth_call', waiting, 'pending')
    return { lines, answers }
  } finally {
    print.mockRestore()
    await connection.close()
  }
}

it("prints what contracts print, and words what fails, as Hardhat's own network does", async () => {
  const theirs = await run('default')
  const ours = await run('parallel')
  expect(ours.lines).toEqual(theirs.lines)
  expect(ours.answers).toEqual(theirs.answers)
  expect(ours.lines).toContain('this is 42, and 100% of it')
  expect(JSON.stringify(ours.answers)).toContain("reverted with custom error 'Refused(9)'")
  expect(JSON.stringify(ours.answers)).toContain('function selector was not recognized')
}, 60_000)
