// The devnet as Hardhat's users meet it: what contracts print is printed.
// The authority on where `console.log` of a contract goes: standard output, as Hardhat has it.
// Must be loaded with the first connection only: it brings the whole devnet along.
import { createDevnet } from '../devnet/create-devnet.ts'
import type { Devnet, DevnetOptions } from '../devnet/devnet-contract.ts'

export async function createPrintingDevnet(options: DevnetOptions): Promise<Devnet> {
  const devnet = await createDevnet(options)
  devnet.on('log', (line) => console.log(line))
  return devnet
}
