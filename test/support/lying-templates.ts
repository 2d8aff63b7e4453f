// A template library that lies: it predicts accesses at random, of any kind and with any confidence, to
// places that exist, or do not, and changes its mind when it is asked again. Whatever it says may cost
// repetitions, and nothing else. Authority on how far predictions are wrong in the tests that are misled.
// It must not touch what is learned: observations go on to the real library.
import type { AccessKind, AccessSink } from '../../src/access/access-sink.ts'
import { TemplateLibrary } from '../../src/access/template-library.ts'
import type { TransactionFacts } from '../../src/access/transaction-facts.ts'
import { Random } from '../interleaving/harness/random.ts'
import { addressAt, coinbaseAt, numberWord } from './random-world.ts'

const kinds: readonly AccessKind[] = ['read', 'write', 'delta']
const fields = ['balance', 'nonce', 'code', 'existence'] as const
const mostLies = 14
/** Addresses of earlier transactions that are lied about. */
const mostRemembered = 64

class Liar {
  readonly #random: Random
  readonly #remembered: Uint8Array[] = []

  constructor(seed: number) {
    this.#random = new Random(seed)
  }

  readonly predict: TemplateLibrary['predict'] = (facts, _codeHash, sink, loadSlot) => {
    const random = this.#random
    this.#remember(facts)
    for (let lie = random.below(mostLies); lie > 0; lie--) {
      if (random.oneIn(5)) loadSlot(this.#address(), this.#key())
      else this.#lie(sink)
    }
    return random.pick(['none', 'partial', 'open', 'whole'] as const)
  }

  readonly isCurious: TemplateLibrary['isCurious'] = () => this.#random.oneIn(2)

  #lie(sink: AccessSink): void {
    const random = this.#random
    const [kind, confidence] = [random.pick(kinds), random.below(101)]
    const field = random.below(8)
    if (field < fields.length) sink[fields[field]!](this.#address(), kind, confidence)
    else sink.slot(this.#address(), this.#key(), kind, confidence)
  }

  #remember({ sender, to, coinbase }: TransactionFacts): void {
    for (const address of [sender, to, coinbase]) {
      if (address !== undefined) this.#remembered.push(address.slice())
    }
    while (this.#remembered.length > mostRemembered) this.#remembered.shift()
  }

  #address(): Uint8Array {
    const random = this.#random
    if (random.oneIn(3)) return random.pick(this.#remembered)
    if (random.oneIn(12)) return numberWord(random.below(1000)).slice(12)
    return addressAt(random.below(256), coinbaseAt(random.below(256))).bytes
  }

  #key(): Uint8Array {
    return numberWord(this.#random.below(this.#random.oneIn(4) ? 1_000_000 : 10))
  }
}

const liar = new Liar(Number(process.env.LIES_SEED ?? Math.floor(Math.random() * 2 ** 31)))
const { predict, isCurious } = TemplateLibrary.prototype

/** Every library of this thread lies while `work` runs; one at a time. */
export async function whileMisled<T>(work: () => Promise<T>): Promise<T> {
  Object.assign(TemplateLibrary.prototype, { predict: liar.predict, isCurious: liar.isCurious })
  try {
    return await work()
  } finally {
    Object.assign(TemplateLibrary.prototype, { predict, isCurious })
  }
}
