// The package's error: its name, code and cause, here and after it has crossed a thread.
// Authority on what callers can tell errors apart by.
import { describe, expect, it } from 'vitest'
import { internalError } from '../../src/errors.ts'
import { ParallelError } from '../../src/index.ts'
import { deserializeError, serializeError } from '../../src/workers/serialized-error.ts'

describe('ParallelError', () => {
  it('is an Error with a name, a code and a cause', () => {
    const cause = new Error('the reason')
    const error = new ParallelError('STORE_FULL', 'no room', { cause })
    expect(error).toBeInstanceOf(Error)
    expect(error).toMatchObject({ name: 'ParallelError', code: 'STORE_FULL', message: 'no room' })
    expect(error.cause).toBe(cause)
    expect(error.stack).toContain('errors.test.ts')
  })

  it('has no cause where there is none', () => {
    expect('cause' in new ParallelError('INTERNAL', 'oh')).toBe(false)
  })

  it('asks to be reported where it is a fault of the package', () => {
    const error = internalError('two and two are five', 5)
    expect(error).toMatchObject({ code: 'INTERNAL', cause: 5 })
    expect(error.message).toContain('two and two are five')
    expect(error.message).toContain('please report it')
  })
})

describe('an error that crosses a thread', () => {
  const cross = (error: unknown): ParallelError =>
    deserializeError(structuredClone(serializeError(error)))

  it('keeps message, name and stack as its cause, and its code', () => {
    const original = new ParallelError('STORE_FULL', 'no room')
    const error = cross(original)
    expect(error).toMatchObject({ name: 'ParallelError', code: 'STORE_FULL', message: 'no room' })
    expect(error.cause).toMatchObject({ name: 'ParallelError', stack: original.stack })
  })

  it('that has no code becomes a failure of the worker', () => {
    const error = cross(new RangeError('too far'))
    expect(error).toMatchObject({ code: 'WORKER_FAILED', message: 'too far' })
    expect(error.cause).toMatchObject({ name: 'RangeError', message: 'too far' })
  })

  it('may be no error at all, or one without a stack', () => {
    expect(cross('a string')).toMatchObject({ code: 'WORKER_FAILED', message: 'a string' })
    expect(cross(undefined)).toMatchObject({ message: 'undefined' })
    const bare = new Error('bare')
    delete bare.stack
    expect(cross(bare)).toMatchObject({ message: 'bare' })
  })
})
