// Mines into a directory until it is killed, and says of each block that it is there.
// The authority on nothing; persistence.test.ts starts it. It never ends by itself.
import { startDevnet } from './test-devnet.ts'

const devnet = await startDevnet({ dataDir: process.argv[2] as string })
const [from] = devnet.accounts
for (let turn = 0; ; turn++) {
  await devnet.ask('eth_sendTransaction', { from, to: `0x${'77'.repeat(20)}`, value: '0x1' })
  const { number, hash } = await devnet.object('eth_getBlockByNumber', 'latest', false)
  process.stdout.write(`${JSON.stringify({ number, hash })}\n`)
  if (turn % 5 === 4) await devnet.ask('hardhat_setBalance', from, `0x${(10n ** 22n).toString(16)}`)
  if (turn % 7 === 6) {
    const id = await devnet.ask('evm_snapshot')
    await devnet.ask('hardhat_mine', '0x20')
    await devnet.ask('evm_revert', id)
  }
}
