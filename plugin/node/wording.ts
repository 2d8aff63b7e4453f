// What a node prints: the accounts at its start, a line for each block.
// The authority on the wording and on which secrets are printed: only those that everybody knows.
// Must not print: callers do.
import type { Devnet, MinedBlock } from '../devnet/devnet-contract.ts'

const WEI_PER_ETHER = 10n ** 18n

/** Of the mnemonic that Hardhat, Anvil and Ganache users share; any other key may be a real one. */
const KNOWN_FIRST_KEY = '0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80'

const PUBLIC_KEYS_WARNING =
  'WARNING: these accounts and their private keys are publicly known. Funds sent to them on Mainnet ' +
  'or any other live network will be lost.'

export function accountLines(accounts: Devnet['accounts']): string[] {
  if (accounts.length === 0) return []
  const areKnown = accounts[0]?.privateKey.toLowerCase() === KNOWN_FIRST_KEY
  const lines = ['Accounts', '========', '']
  if (areKnown) lines.push(PUBLIC_KEYS_WARNING, '')
  for (const [index, { address, privateKey, balance }] of accounts.entries()) {
    lines.push(`Account #${index}: ${address} (${balance / WEI_PER_ETHER} ETH)`)
    if (areKnown) lines.push(`Private Key: ${privateKey}`)
    lines.push('')
  }
  return lines
}

export function blockLine(block: MinedBlock): string {
  const { number, hash, transactions, gasUsed, buildMs, reExecutions, workers, speedUp } = block
  const parts = [
    `Block ${number} ${hash.slice(0, 10)}`,
    `${transactions} ${transactions === 1 ? 'transaction' : 'transactions'}`,
    `${gasUsed.toLocaleString('en')} gas`,
    `${buildMs.toFixed(1)} ms`,
  ]
  if (workers !== undefined && workers > 0) {
    parts.push(`${workers} ${workers === 1 ? 'worker' : 'workers'}`)
    if (speedUp !== undefined) parts.push(`speed-up ${speedUp.toFixed(2)}`)
    parts.push(`${reExecutions} re-executions`)
  }
  return parts.join(', ')
}

/** Addresses of version 6 stand in brackets in a URL. */
export function urlOf(address: string, port: number, scheme: 'http' | 'ws'): string {
  return `${scheme}://${address.includes(':') ? `[${address}]` : address}:${port}/`
}

export function isLoopback(address: string): boolean {
  return address === '::1' || address.startsWith('127.')
}
