// A chain in memory for the official tests: parents, canonical numbers, and the header and uncle rules
// that stock asks its blockchain for. Authority on consensus rules in these tests, for both sides.
// It must not execute blocks.
import type { Block, BlockHeader } from '@ethereumjs/block'
import { bytesToHex, equalsBytes } from '@ethereumjs/util'

const uncleGenerations = 7n

export class TestChain {
  readonly #blocks = new Map<string, { block: Block; totalDifficulty: bigint }>()
  #head: Block
  #canonicalFrom: Block

  constructor(genesis: Block) {
    this.#head = genesis
    this.#canonicalFrom = genesis
    this.#add(genesis, genesis.header.difficulty)
  }

  get head(): Block {
    return this.#head
  }

  parentOf(block: Block): Block | undefined {
    return this.#find(block.header.parentHash)
  }

  /** BLOCKHASH means the ancestors of the block that runs, even on a side chain. */
  runOn(parent: Block): void {
    this.#canonicalFrom = parent
  }

  append(block: Block): void {
    const parent = this.#blocks.get(bytesToHex(block.header.parentHash))
    if (parent === undefined) throw new Error('the parent is unknown')
    const totalDifficulty = parent.totalDifficulty + block.header.difficulty
    const headDifficulty = this.#blocks.get(bytesToHex(this.#head.hash()))!.totalDifficulty
    this.#add(block, totalDifficulty)
    // After the merge every new block is the head; before it, the heavier chain wins.
    if (block.header.difficulty === 0n || totalDifficulty > headDifficulty) this.#head = block
  }

  async getBlock(id: number | bigint | Uint8Array): Promise<Block> {
    const found = id instanceof Uint8Array ? this.#find(id) : this.#canonical(BigInt(id))
    if (found === undefined) throw new Error('no such block')
    return found
  }

  async putBlock(): Promise<void> {}

  shallowCopy(): TestChain {
    return this
  }

  /** What stock calls before it runs a block. */
  async validateHeader(header: BlockHeader): Promise<void> {
    if (header.isGenesis()) return
    const parent = this.#find(header.parentHash)?.header
    if (parent === undefined) throw new Error('the parent is unknown')
    const check = (holds: boolean, what: string): void => {
      if (!holds) throw new Error(`${what} ${header.errorStr()}`)
    }
    check(header.number === parent.number + 1n, 'invalid number')
    check(header.timestamp > parent.timestamp, 'invalid timestamp')
    if (header.common.consensusType() !== 'pos') {
      check(header.ethashCanonicalDifficulty(parent) === header.difficulty, 'invalid difficulty')
    }
    header.validateGasLimit(parent)
    if (header.common.isActivatedEIP(1559)) {
      const isFirst = header.number === header.common.hardforkBlock('london')
      const fee = isFirst ? header.common.param('initialBaseFee') : parent.calcNextBaseFee()
      check(header.baseFeePerGas === fee, 'invalid base fee')
    }
    if (header.common.isActivatedEIP(4844)) {
      const excess = parent.calcNextExcessBlobGas(header.common)
      check(header.excessBlobGas === excess, 'invalid excess blob gas')
    }
  }

  /** What ethereumjs' blockchain checks beyond that when a block is put into it. */
  async validateBlock(block: Block): Promise<void> {
    if (block.isGenesis()) throw new Error('there is a genesis block already')
    const parent = this.parentOf(block)
    if (parent === undefined) throw new Error('the parent is unknown')
    await this.#validateUncles(block, parent)
    block.validateBlobTransactions(parent.header)
  }

  async #validateUncles(block: Block, parent: Block): Promise<void> {
    if (block.uncleHeaders.length === 0) return
    const ancestors: Block[] = []
    let ancestor: Block | undefined = parent
    while (
      ancestor !== undefined &&
      block.header.number - ancestor.header.number <= uncleGenerations
    ) {
      ancestors.push(ancestor)
      ancestor = this.parentOf(ancestor)
    }
    const included = ancestors.flatMap(({ uncleHeaders }) => uncleHeaders)
    for (const uncle of block.uncleHeaders) {
      await this.validateHeader(uncle)
      const isAncestor = ancestors.some((one) => equalsBytes(one.hash(), uncle.hash()))
      const isRelative = ancestors
        .slice(1)
        .concat(ancestor === undefined ? [] : [ancestor])
        .some((one) => equalsBytes(one.hash(), uncle.parentHash))
      const isKnown = included.some((one) => equalsBytes(one.hash(), uncle.hash()))
      if (isAncestor || isKnown || !isRelative) {
        throw new Error(`invalid uncle ${uncle.errorStr()}`)
      }
    }
  }

  #add(block: Block, totalDifficulty: bigint): void {
    this.#blocks.set(bytesToHex(block.hash()), { block, totalDifficulty })
  }

  #find(hash: Uint8Array): Block | undefined {
    return this.#blocks.get(bytesToHex(hash))?.block
  }

  #canonical(number: bigint): Block | undefined {
    let block: Block | undefined = this.#canonicalFrom
    while (block !== undefined && block.header.number > number) block = this.parentOf(block)
    return block?.header.number === number ? block : undefined
  }
}
