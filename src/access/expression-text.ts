// Expressions as text, one canonical form each: what is persisted and what people read.
// Authority on the syntax and on refusing what is not in it. Must not evaluate anything.
//
//   0x2a  sender  to  coinbase  value      a constant, and words of the envelope
//   data[k]                                argument k: 32 bytes of calldata from 4 + 32 k on
//   data(offset, size)                     any other piece of calldata
//   keccak(a, b:20)                        whole words, or the last so many bytes of one
//   add(a, b)  min(a, b)  max(a, b)  times(a, 3)
//   load(account, key)                     the value of a storage slot
//   bytes(a, skip, size)                   a piece of a word
import { ParallelError } from '../errors.ts'
import {
  countForms,
  type Expression,
  type HashedPart,
  MOST_CALLDATA,
  MOST_FACTOR,
  MOST_FORMS,
  MOST_HASHED,
  significantBytes,
} from './expression.ts'
import { padded, WORD } from './word.ts'

/** The canonical text of an expression; {@link parseExpression} gives the same expression back. */
export function formatExpression(expression: Expression): string {
  let text = texts.get(expression)
  if (text === undefined) {
    text = format(expression)
    texts.set(expression, text)
  }
  return text
}

/** Expressions never change, and learning asks for the text of shared parts again and again. */
const texts = new WeakMap<Expression, string>()

function format(expression: Expression): string {
  switch (expression.form) {
    case 'constant':
      return formatConstant(expression.word)
    case 'data': {
      const { offset, size } = expression
      const isArgument = size === WORD && offset >= 4 && (offset - 4) % WORD === 0
      return isArgument ? `data[${(offset - 4) / WORD}]` : `data(${offset}, ${size})`
    }
    case 'keccak':
      return `keccak(${expression.parts.map(formatPart).join(', ')})`
    case 'add':
    case 'min':
    case 'max': {
      const { form, left, right } = expression
      return `${form}(${formatExpression(left)}, ${formatExpression(right)})`
    }
    case 'times':
      return `times(${formatExpression(expression.word)}, ${expression.factor})`
    case 'load':
      return `load(${formatExpression(expression.account)}, ${formatExpression(expression.key)})`
    case 'bytes': {
      const { word, skip, size } = expression
      return `bytes(${formatExpression(word)}, ${skip}, ${size})`
    }
    default:
      return expression.form
  }
}

function formatConstant(word: Uint8Array): string {
  const digits = Buffer.from(significantBytes(word)).toString('hex').replace(/^0/, '')
  return `0x${digits === '' ? '0' : digits}`
}

function formatPart({ word, size }: HashedPart): string {
  return size === WORD ? formatExpression(word) : `${formatExpression(word)}:${size}`
}

/** Text longer than this is not tried: no expression within the limits is that long. */
const MOST_TEXT = 16_384

/**
 * Reads the text of one expression.
 * @throws ParallelError `INVALID_EXPRESSION`: not in the syntax above, or beyond a limit. The message
 *   names the place.
 */
export function parseExpression(text: string): Expression {
  if (text.length > MOST_TEXT) throw invalid(`longer than ${MOST_TEXT} characters`, '', 0)
  const parser = new Parser(text)
  const expression = parser.expression(0)
  parser.end()
  if (countForms(expression) > MOST_FORMS) throw invalid(`more than ${MOST_FORMS} forms`, text, 0)
  return expression
}

function invalid(what: string, text: string, at: number): ParallelError {
  const where = text === '' ? '' : ` at character ${at} of "${text}"`
  return new ParallelError('INVALID_EXPRESSION', `Invalid expression${where}: ${what}`)
}

class Parser {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  expression(depth: number): Expression {
    if (depth > MOST_FORMS) throw this.#error('nested too deeply')
    const digits = this.#match(/0x[0-9a-fA-F]+/y)
    if (digits !== undefined) return this.#constant(digits.slice(2))
    const name = this.#match(/[a-z]+/y)
    switch (name) {
      case 'sender':
      case 'to':
      case 'coinbase':
      case 'value':
        return { form: name }
      case 'data':
        return this.#data()
      case 'keccak':
        return this.#keccak(depth)
      case 'add':
      case 'min':
      case 'max': {
        const [left, right] = this.#pair(depth)
        return { form: name, left, right }
      }
      case 'load': {
        const [account, key] = this.#pair(depth)
        return { form: name, account, key }
      }
      case 'times': {
        this.#expect('(')
        const word = this.expression(depth + 1)
        const factor = this.#argument(0, MOST_FACTOR)
        this.#expect(')')
        return { form: name, word, factor }
      }
      case 'bytes': {
        this.#expect('(')
        const word = this.expression(depth + 1)
        const skip = this.#argument(0, WORD - 1)
        const size = this.#argument(1, WORD - skip)
        this.#expect(')')
        return { form: name, word, skip, size }
      }
      default:
        throw this.#error('expected an expression')
    }
  }

  end(): void {
    this.#match(/\s+/y)
    if (this.#at < this.#text.length) throw this.#error('expected the end')
  }

  #constant(digits: string): Expression {
    if (digits.length > WORD * 2) throw this.#error(`a constant has at most ${WORD} bytes`)
    const even = digits.length % 2 === 0 ? digits : `0${digits}`
    return { form: 'constant', word: padded(Buffer.from(even, 'hex')) }
  }

  #data(): Expression {
    if (this.#match(/\[/y) !== undefined) {
      const k = this.#number(0, (MOST_CALLDATA - 4) / WORD - 1)
      this.#expect(']')
      return { form: 'data', offset: 4 + WORD * k, size: WORD }
    }
    this.#expect('(')
    const offset = this.#number(0, MOST_CALLDATA - 1)
    const size = this.#argument(1, WORD)
    this.#expect(')')
    return { form: 'data', offset, size }
  }

  #keccak(depth: number): Expression {
    this.#expect('(')
    const parts: HashedPart[] = []
    let total = 0
    do {
      const word = this.expression(depth + 1)
      const size = this.#match(/:/y) === undefined ? WORD : this.#number(1, WORD)
      parts.push({ word, size })
      total += size
      if (total > MOST_HASHED) throw this.#error(`hashes more than ${MOST_HASHED} bytes`)
    } while (this.#match(/,/y) !== undefined)
    this.#expect(')')
    return { form: 'keccak', parts }
  }

  #pair(depth: number): [Expression, Expression] {
    this.#expect('(')
    const left = this.expression(depth + 1)
    this.#expect(',')
    const right = this.expression(depth + 1)
    this.#expect(')')
    return [left, right]
  }

  #argument(least: number, most: number): number {
    this.#expect(',')
    return this.#number(least, most)
  }

  #number(least: number, most: number): number {
    const value = Number(this.#match(/[0-9]{1,9}/y) ?? Number.NaN)
    if (!(value >= least && value <= most)) {
      throw this.#error(`expected a number from ${least} to ${most}`)
    }
    return value
  }

  #expect(sign: string): void {
    this.#match(/\s+/y)
    if (this.#text[this.#at] !== sign) throw this.#error(`expected "${sign}"`)
    this.#at++
  }

  /** What the sticky pattern matches here, after white space; moves on behind it. */
  #match(pattern: RegExp): string | undefined {
    while (this.#text[this.#at] === ' ') this.#at++
    pattern.lastIndex = this.#at
    const found = pattern.exec(this.#text)?.[0]
    if (found !== undefined) this.#at += found.length
    return found
  }

  #error(what: string): ParallelError {
    return invalid(what, this.#text, this.#at)
  }
}
