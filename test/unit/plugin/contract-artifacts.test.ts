// The committed bytecode is what the contracts compile to.
import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { ARTIFACTS_FILE, generateArtifacts } from '../../../scripts/compile-contracts.ts'

it('the contract artifacts are up to date with contracts/ (else run scripts/compile-contracts.ts)', () => {
  expect(readFileSync(ARTIFACTS_FILE, 'utf8')).toBe(generateArtifacts())
})
