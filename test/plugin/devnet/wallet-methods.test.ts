// What the accounts of a devnet sign, held to viem's own hashes and recovery.
import { recoverMessageAddress, recoverTypedDataAddress } from 'viem'
import { expect, it } from 'vitest'
import { startDevnet } from './test-devnet.ts'

const TYPED_DATA = {
  domain: {
    name: 'Mail',
    version: '1',
    chainId: 31_337,
    verifyingContract: `0x${'cc'.repeat(20)}`,
  },
  types: {
    EIP712Domain: [
      { name: 'name', type: 'string' },
      { name: 'version', type: 'string' },
      { name: 'chainId', type: 'uint256' },
      { name: 'verifyingContract', type: 'address' },
    ],
    Person: [
      { name: 'name', type: 'string' },
      { name: 'wallets', type: 'address[]' },
      { name: 'balance', type: 'int64' },
    ],
    Mail: [
      { name: 'from', type: 'Person' },
      { name: 'to', type: 'Person[2]' },
      { name: 'contents', type: 'bytes' },
      { name: 'tag', type: 'bytes4' },
      { name: 'isRead', type: 'bool' },
    ],
  },
  primaryType: 'Mail',
  message: {
    from: { name: 'Cow', wallets: [`0x${'cd'.repeat(20)}`], balance: '-5' },
    to: [
      { name: 'Bob', wallets: [], balance: 7 },
      { name: 'Eve', wallets: [`0x${'01'.repeat(20)}`, `0x${'02'.repeat(20)}`], balance: '0x10' },
    ],
    contents: '0x1234',
    tag: '0xdeadbeef',
    isRead: true,
  },
} as const

it('Hardhat’s accounts are those of its mnemonic, or of given keys', async () => {
  await using devnet = await startDevnet()
  expect(devnet.accounts).toHaveLength(20)
  expect(await devnet.ask('eth_accounts')).toEqual(devnet.accounts)
  expect(devnet.accounts.slice(0, 2)).toEqual([
    '0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266',
    '0x70997970c51812dc3a010c7d01b50e0d17dc79c8',
  ])
  await using other = await startDevnet({
    accounts: { privateKeys: [`0x${'01'.repeat(32)}`], balance: 5n },
  })
  expect(other.accounts).toEqual(['0x1a642f0e3c3af545e7acbd38b07251b3990914f1'])
  expect(await other.ask('eth_getBalance', other.accounts[0], 'latest')).toBe('0x5')
})

it('signs messages by EIP-191, in the order of parameters that each method has', async () => {
  await using devnet = await startDevnet()
  const [account] = devnet.accounts
  const signature = (await devnet.text('personal_sign', '0x1234', account)) as `0x${string}`
  expect(await devnet.ask('eth_sign', account, '0x1234')).toBe(signature)
  const signer = await recoverMessageAddress({ message: { raw: '0x1234' }, signature })
  expect(signer.toLowerCase()).toBe(account)
  expect((await devnet.refusal('eth_sign', `0x${'22'.repeat(20)}`, '0x')).message).toBe(
    `Unknown account 0x${'22'.repeat(20)}`,
  )
})

it('signs structured data by EIP-712, given as an object or as text', async () => {
  await using devnet = await startDevnet()
  const [account] = devnet.accounts
  const text = JSON.stringify(TYPED_DATA)
  const signature = (await devnet.text('eth_signTypedData_v4', account, text)) as `0x${string}`
  expect(await devnet.ask('eth_signTypedData_v4', account, TYPED_DATA)).toBe(signature)
  const { from, to } = TYPED_DATA.message
  const message = {
    ...TYPED_DATA.message,
    from: { ...from, balance: -5n },
    to: [
      { ...to[0], balance: 7n },
      { ...to[1], balance: 16n },
    ],
  }
  const signer = await recoverTypedDataAddress({ ...TYPED_DATA, message, signature } as never)
  expect(signer.toLowerCase()).toBe(account)
  const broken = { ...TYPED_DATA, message: { ...TYPED_DATA.message, tag: '0x01' } }
  expect((await devnet.refusal('eth_signTypedData_v4', account, broken)).message).toContain(
    'a bytes4 must be 4 bytes',
  )
  const untyped = { ...TYPED_DATA, primaryType: undefined }
  expect((await devnet.refusal('eth_signTypedData_v4', account, untyped)).message).toBe(
    'Invalid params: parameter 2 must be typed data of EIP-712: primaryType: Required',
  )
})

it('refuses structured data that is small to send and endless to hash', async () => {
  await using devnet = await startDevnet()
  const [account] = devnet.accounts
  const reason = async (types: object, list: readonly unknown[]) => {
    const data = { types, primaryType: 'List', domain: {}, message: { list } }
    return (await devnet.refusal('eth_signTypedData_v4', account, data)).message
  }
  const List = [{ name: 'list', type: 'T0[]' }]
  const names = Array.from({ length: 1_001 }, (_, index) => `T${index}`)
  const chain = names.map((name, index) => [
    name,
    [{ name: 'next', type: names[index + 1] ?? 'T0' }],
  ])
  expect(await reason({ List, ...Object.fromEntries(chain) }, [{}])).toContain(
    'more than 1000 types and fields',
  )
  const fields = names.slice(0, 900).map((name) => ({ name, type: 'Empty' }))
  const wide = new Array(1_000).fill({})
  expect(await reason({ List, T0: fields, Empty: [] }, wide)).toContain('more than 100000 values')
})
