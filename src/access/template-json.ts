// Learned templates as plain data: to be kept on request, and to be looked at.
// Authority on the persisted form, its version and its checks: what is read comes from a file.
// Must not trust counts or texts: all is validated, and expressions are parsed anew.
import { ParallelError } from '../errors.ts'
import type { LocationField } from './access-sink.ts'
import {
  type CallShape,
  formatSelector,
  MOST_ARGUMENTS,
  NO_DATA,
  SHORT_DATA,
} from './call-shape.ts'
import type { Expression } from './expression.ts'
import { formatExpression, parseExpression } from './expression-text.ts'
import type { Rule } from './rule.ts'
import { MOST_PATIENCE, Template } from './template.ts'
import { type EntryState, kindOf, MOST_COUNTED } from './template-entry.ts'
import {
  type KeyedTemplate,
  TemplateLibrary,
  type TemplateLibraryOptions,
} from './template-library.ts'
import type { Keccak } from './word.ts'

/** Raised when the form changes; another version is refused, since templates are soon learned again. */
export const TEMPLATES_VERSION = 1

export interface TemplatesJson {
  readonly version: typeof TEMPLATES_VERSION
  /** The one used longest ago first. */
  readonly templates: readonly TemplateJson[]
}

export interface TemplateJson {
  /** Hash of the code, 0x and 64 digits. */
  readonly codeHash: string
  /** 0x and 8 digits, `receive` for calls without calldata, or `fallback` for 1 to 3 bytes. */
  readonly function: string
  readonly patience: number
  readonly forgotten: number
  readonly rules: readonly RuleJson[]
}

export interface RuleJson {
  readonly field: LocationField | 'call'
  /** Expressions are texts: see expression-text.ts. */
  readonly account: string
  readonly key?: string
  readonly call?: CallJson
  /** Hits, misses, writes, deltas. */
  readonly counts: readonly number[]
  /** Features: on in all hits, off in all hits, on in some miss, off in some miss. */
  readonly conditions: readonly number[]
}

export interface CallJson {
  readonly function: string
  readonly delegate: boolean
  readonly value: boolean
  readonly forwarded: boolean
  /** null: not zero, and not known. */
  readonly args: readonly (string | null)[]
}

/** All that a library has learned, as JSON can hold it. */
export function exportTemplates(library: TemplateLibrary): TemplatesJson {
  return {
    version: TEMPLATES_VERSION,
    templates: library.templates().map(({ codeHash, selector, template }) => ({
      codeHash: `0x${Buffer.from(codeHash).toString('hex')}`,
      function: formatSelector(selector),
      patience: template.state.patience,
      forgotten: template.state.forgotten,
      rules: template.state.entries.map(ruleJson),
    })),
  }
}

/**
 * A library with what {@link exportTemplates} gave. Of more templates than `options` allow, those used
 * last are kept.
 * @throws ParallelError `INVALID_TEMPLATES`: not that form. The message names the field.
 * @throws ParallelError `INVALID_EXPRESSION`: a text is not in the language.
 */
export function importTemplates(
  json: unknown,
  keccak: Keccak,
  options: TemplateLibraryOptions = {},
): TemplateLibrary {
  const library = new TemplateLibrary(keccak, options)
  const { version, templates } = record(json, 'the templates')
  if (version !== TEMPLATES_VERSION) {
    throw invalid('version', `${TEMPLATES_VERSION}, the one this release writes`)
  }
  list(templates, 'templates').forEach((each, index) => {
    const at = `templates[${index}]`
    const fields = record(each, at)
    const template = Template.restore({
      entries: list(fields.rules, `${at}.rules`)
        .slice(0, library.maxEntries)
        .map((rule, number) => readRule(rule, `${at}.rules[${number}]`)),
      patience: count(fields.patience, `${at}.patience`, MOST_PATIENCE),
      forgotten: count(fields.forgotten, `${at}.forgotten`, MOST_PATIENCE),
    })
    library.put(
      readHash(fields.codeHash, `${at}.codeHash`),
      readFunction(fields.function, `${at}.function`),
      template,
    )
  })
  return library
}

/**
 * What is known, for people: one line for each function and one for each of its rules, such as
 * `  write slot to keccak(sender, 0x1)  12 of 12`.
 */
export function describeTemplates(templates: readonly KeyedTemplate[]): string {
  const lines: string[] = []
  for (const { codeHash, selector, template } of templates) {
    lines.push(
      `code 0x${Buffer.from(codeHash).toString('hex')} function ${formatSelector(selector)}`,
    )
    for (const entry of template.entries) {
      const kind = entry.field === 'call' ? '' : `${kindOf(entry)} `
      const isConditional =
        ((entry.hitOnes & entry.missZeros) | (entry.hitZeros & entry.missOnes)) !== 0
      const condition = isConditional ? ', on conditions' : ''
      const times = `${entry.hits} of ${entry.hits + entry.misses}`
      lines.push(`  ${kind}${entry.text}  ${times}${condition}`)
    }
  }
  return lines.join('\n')
}

function ruleJson(entry: EntryState): RuleJson {
  const { hits, misses, writes, deltas, hitOnes, hitZeros, missOnes, missZeros } = entry
  return {
    field: entry.field,
    account: formatExpression(entry.account),
    ...(entry.key === undefined ? {} : { key: formatExpression(entry.key) }),
    ...(entry.call === undefined ? {} : { call: callJson(entry.call) }),
    counts: [hits, misses, writes, deltas],
    conditions: [hitOnes, hitZeros, missOnes, missZeros],
  }
}

function callJson({ selector, isDelegate, sendsValue, isForwarded, args }: CallShape): CallJson {
  return {
    function: formatSelector(selector),
    delegate: isDelegate,
    value: sendsValue,
    forwarded: isForwarded,
    args: args.map((arg) => (arg === undefined ? null : formatExpression(arg))),
  }
}

const FIELDS: readonly unknown[] = ['balance', 'nonce', 'code', 'existence', 'slot', 'call']

function readRule(json: unknown, at: string): EntryState {
  const fields = record(json, at)
  if (!FIELDS.includes(fields.field)) throw invalid(`${at}.field`, `one of ${FIELDS.join(', ')}`)
  const field = fields.field as Rule['field']
  const [hits, misses, writes, deltas] = numbers(fields.counts, `${at}.counts`, 0, MOST_COUNTED)
  const [hitOnes, hitZeros, missOnes, missZeros] = numbers(
    fields.conditions,
    `${at}.conditions`,
    -(2 ** 31),
    2 ** 31 - 1,
  )
  return {
    field,
    account: expression(fields.account, `${at}.account`),
    key: field === 'slot' ? expression(fields.key, `${at}.key`) : undefined,
    call: field === 'call' ? readCall(fields.call, `${at}.call`) : undefined,
    hits: hits!,
    misses: misses!,
    writes: writes!,
    deltas: deltas!,
    hitOnes: hitOnes!,
    hitZeros: hitZeros!,
    missOnes: missOnes!,
    missZeros: missZeros!,
  }
}

function readCall(json: unknown, at: string): CallShape {
  const fields = record(json, at)
  const args = list(fields.args, `${at}.args`)
  if (args.length > MOST_ARGUMENTS) throw invalid(`${at}.args`, `at most ${MOST_ARGUMENTS} long`)
  return {
    selector: readFunction(fields.function, `${at}.function`),
    isDelegate: truth(fields.delegate, `${at}.delegate`),
    sendsValue: truth(fields.value, `${at}.value`),
    isForwarded: truth(fields.forwarded, `${at}.forwarded`),
    args: args.map((arg, k) => (arg === null ? undefined : expression(arg, `${at}.args[${k}]`))),
  }
}

function readHash(value: unknown, at: string): Uint8Array {
  if (typeof value !== 'string' || !/^0x[0-9a-f]{64}$/.test(value)) {
    throw invalid(at, '0x and 64 lower-case hexadecimal digits')
  }
  return Uint8Array.from(Buffer.from(value.slice(2), 'hex'))
}

function readFunction(value: unknown, at: string): number {
  if (value === 'receive') return NO_DATA
  if (value === 'fallback') return SHORT_DATA
  if (typeof value !== 'string' || !/^0x[0-9a-f]{8}$/.test(value)) {
    throw invalid(at, '0x and 8 digits, "receive" or "fallback"')
  }
  return Number(value)
}

function expression(value: unknown, at: string): Expression {
  if (typeof value !== 'string') throw invalid(at, 'the text of an expression')
  return parseExpression(value)
}

function truth(value: unknown, at: string): boolean {
  if (typeof value !== 'boolean') throw invalid(at, 'true or false')
  return value
}

function count(value: unknown, at: string, most: number): number {
  if (!isInteger(value, 0, most)) throw invalid(at, `an integer from 0 to ${most}`)
  return value
}

function isInteger(value: unknown, least: number, most: number): value is number {
  return Number.isInteger(value) && (value as number) >= least && (value as number) <= most
}

/** Four integers. */
function numbers(value: unknown, at: string, least: number, most: number): readonly number[] {
  const isGood = (each: unknown): each is number => isInteger(each, least, most)
  // A copy has no holes, which would be skipped.
  const four: readonly unknown[] = Array.isArray(value) && value.length === 4 ? [...value] : []
  if (four.length !== 4 || !four.every(isGood)) {
    throw invalid(at, `made of 4 integers from ${least} to ${most}`)
  }
  return four
}

/** JSON has no holes, but what is handed in need not have been JSON; most methods skip them. */
function list(value: unknown, at: string): readonly unknown[] {
  if (!Array.isArray(value) || value.includes(undefined)) throw invalid(at, 'a list without holes')
  return value
}

function record(value: unknown, at: string): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) throw invalid(at, 'an object')
  return value as Record<string, unknown>
}

function invalid(at: string, what: string): ParallelError {
  return new ParallelError('INVALID_TEMPLATES', `Persisted access templates: ${at} must be ${what}`)
}
