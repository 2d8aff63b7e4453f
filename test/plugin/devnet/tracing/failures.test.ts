// What is said of failed calls, beside what Hardhat's own network says of the same calls.
import { bytesToHex, hexToBytes } from '@ethereumjs/util'
import type { VM } from '@ethereumjs/vm'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { applyMessage } from '../../../../plugin/devnet/tracing/apply-message.ts'
import { callBlock } from '../../../../plugin/devnet/tracing/call-block.ts'
import { callRequest, toCallMessage } from '../../../../plugin/devnet/tracing/call-request.ts'
import {
  type ContractArtifacts,
  createContractArtifacts,
} from '../../../../plugin/devnet/tracing/failure/contract-artifacts.ts'
import { executionFailure } from '../../../../plugin/devnet/tracing/failure/execution-failure.ts'
import { FailureTrace } from '../../../../plugin/devnet/tracing/failure/failure-trace.ts'
import { observeExecution } from '../../../../plugin/devnet/tracing/observe-execution.ts'
import { type Compiled, compileFailing, compilerInput } from './failing-contracts.ts'
import {
  contractAddress,
  defaultGas,
  firstBlock,
  type HardhatReference,
  sender,
  startHardhat,
  withAccounts,
} from './hardhat-reference.ts'

interface Call {
  to?: string | undefined
  data: string
  value?: string
  gas?: string
}

let compiled: Compiled
let artifacts: ContractArtifacts
const networks: { hardhat: HardhatReference; vm: VM; knows: boolean }[] = []
/** The same on all networks, since each has the sender deploy in the same order. */
const deployed = new Map<string, string>()

beforeAll(async () => {
  compiled = compileFailing()
  artifacts = createContractArtifacts()
  artifacts.add(compiled.output)
  for (const knows of [false, true]) {
    const hardhat = await startHardhat()
    if (knows) await hardhat.addCompilation(compilerInput, compiled.output)
    const vm = await withAccounts({}, hardhat)
    networks.push({ hardhat, vm, knows })
    for (const name of ['Failing', 'Fallback', 'Functions']) {
      const data = compiled.bytecode(name)
      const from = sender.toString()
      const hash = await hardhat.request('eth_sendTransaction', { from, data, gas: '0x989680' })
      const receipt = await hardhat.request('eth_getTransactionReceipt', hash)
      const { execResult, createdAddress } = await run(vm, { data })
      expect(execResult.exceptionError).toBeUndefined()
      deployed.set(name, createdAddress!.toString())
      expect(receipt).toMatchObject({ contractAddress: createdAddress!.toString() })
    }
  }
})
afterAll(() => Promise.all(networks.map(({ hardhat }) => hardhat.close())))

async function run(vm: VM, call: Call, trace = new FailureTrace()) {
  const block = callBlock(firstBlock(vm.common), vm.common)
  const request = callRequest.parse({ from: sender.toString(), ...call })
  const message = toCallMessage(request, { gas: defaultGas, baseFeePerGas: 0n })
  return observeExecution(vm, trace, () => applyMessage(vm, block, message))
}

async function failureOf(vm: VM, knows: boolean, call: Call) {
  await vm.stateManager.checkpoint()
  const trace = new FailureTrace()
  const { execResult } = await run(vm, call, trace)
  await vm.stateManager.revert()
  const contracts = knows ? artifacts : undefined
  return executionFailure({ execResult, trace: trace.root, contracts })
}

async function compare(call: Call): Promise<string[]> {
  const messages: string[] = []
  for (const { hardhat, vm, knows } of networks) {
    const theirs = await hardhat.failure('eth_call', { from: sender.toString(), ...call }, 'latest')
    const ours = await failureOf(vm, knows, call)
    expect(ours).toMatchObject({ code: theirs.code, message: theirs.message })
    if (theirs.code === 3) expect(ours?.data).toBe(theirs.data)
    messages.push(ours!.message)
  }
  return messages
}

const names = [
  ...['reason', 'custom', 'nested', 'plain', 'none', 'requireFalse', 'assertFalse', 'popEmpty'],
  ...['nonContract', 'nonContractGet', 'wrongReturn', 'innerBad', 'innerBoom', 'innerNone'],
  ...['innerBurn', 'innerCaught', 'invalid', 'sendTo', 'transferTo', 'unknownData'],
]

describe('what is said of a failed call', () => {
  for (const name of names) {
    it(`is what Hardhat says of ${name}, with artifacts and without`, async () => {
      const value = name.endsWith('To') ? '0x1' : '0x0'
      const data = compiled.selector(`${name}()`)
      await compare({ to: deployed.get('Failing'), data, value, gas: '0x186a0' })
    })
  }

  for (const name of ['overflow', 'divide', 'index']) {
    it(`is what Hardhat says of ${name} with a zero`, async () => {
      const data = compiled.selector(`${name}(uint256)`) + '00'.repeat(32)
      await compare({ to: deployed.get('Failing'), data })
    })
  }

  const failing = (data: string, value = '0x0', gas = '0xf4240') => ({
    to: deployed.get('Failing'),
    data,
    value,
    gas,
  })

  it('is what Hardhat says of calls that the contract has no function for', async () => {
    for (const data of ['0x12345678', '0x', '0x12']) {
      await compare(failing(data))
      await compare(failing(data, '0x5'))
    }
  })

  it('is what Hardhat says of bad arguments and of value that is not taken', async () => {
    await compare(failing(compiled.selector('overflow(uint256)')))
    await compare(failing(compiled.selector('text(string)') + 'ff'.repeat(32)))
    await compare(failing(compiled.selector('notPayable()'), '0x7'))
    await compare({ to: deployed.get('Fallback'), data: '0x1234' })
    await compare({ to: deployed.get('Fallback'), data: '0x1234', value: '0x1' })
    await compare({ to: deployed.get('Fallback'), data: '0x', value: '0x1' })
    await compare({ to: deployed.get('Functions'), data: '0x12345678' })
  })

  it('is what Hardhat says where the gas runs out', async () => {
    const messages = await compare(failing(compiled.selector('loop()'), '0x0', '0x186a0'))
    expect(messages).toEqual(['Transaction ran out of gas', 'Transaction ran out of gas'])
  })

  it('is what Hardhat says of creations', async () => {
    for (const name of ['TooLarge', 'BadConstructor', 'NeedsArgument']) {
      await compare({ data: compiled.bytecode(name), gas: '0xf42400' })
    }
    const data = compiled.bytecode('NeedsArgument') + '00'.repeat(32)
    await compare({ data, value: '0x1' })
  })

  it('is what Hardhat says of code that no compiler wrote', async () => {
    const programs = ['0x600056', '0x50', '0xfe', '0x0c', '0x62aabbcc60e81b60005260036000fd']
    const panics = [0, 0x11, 0xff].map((code) => {
      const hex = code.toString(16).padStart(2, '0')
      return `0x634e487b7160e01b60005260${hex}60245260246000fd`
    })
    for (const code of [...programs, ...panics]) {
      for (const { hardhat, vm } of networks) {
        await hardhat.request('hardhat_setCode', contractAddress(9), code)
        const { code: at } = { code: hexToBytes(code as `0x${string}`) }
        const { createAddressFromString } = await import('@ethereumjs/util')
        await vm.stateManager.putCode(createAddressFromString(contractAddress(9)), at)
      }
      await compare({ to: contractAddress(9), data: '0x', gas: '0x186a0' })
    }
  })

  it('names what Hardhat names only in part: the data of errors that are cut off', async () => {
    const trace = {
      execResult: { exceptionError: { error: 'revert' as const, errorType: 'EVMError' } },
    }
    const cut = hexToBytes('0x08c379a000')
    const failure = executionFailure({
      ...trace,
      execResult: { ...trace.execResult, returnValue: cut },
    })
    expect(failure?.message).toContain(
      `unrecognized custom error (return data: ${bytesToHex(cut)})`,
    )
  })
})
