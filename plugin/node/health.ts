// What /health says: whether the devnet still answers, and where it is.
// Authority on when a node counts as healthy.
// Must not ask for anything that takes the devnet more than a moment.
import type { Devnet, DevnetConnection } from '../devnet/devnet-contract.ts'

/** A devnet that does not tell its block number in this time is stuck, in ms. */
const PATIENCE_MS = 5_000

export interface Health {
  readonly isHealthy: boolean
  readonly report: Readonly<Record<string, string | number>>
}

export async function readHealth(
  devnet: Devnet,
  connection: Pick<DevnetConnection, 'request'>,
  isClosing: boolean,
): Promise<Health> {
  const { chainId } = devnet
  if (isClosing) return { isHealthy: false, report: { status: 'closing', chainId } }
  let timer: NodeJS.Timeout | undefined
  const tooLate = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error('the devnet does not answer')), PATIENCE_MS)
  })
  try {
    const blockNumber = await Promise.race([connection.request('eth_blockNumber', []), tooLate])
    const report = {
      status: 'ok',
      chainId,
      blockNumber: Number(blockNumber),
      pooled: devnet.pooled,
    }
    return { isHealthy: true, report }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    return { isHealthy: false, report: { status: 'failing', chainId, reason } }
  } finally {
    clearTimeout(timer)
  }
}
