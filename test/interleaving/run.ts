// Script: many seeded schedules of store and scheduler, the unlimited form of the interleaving test.
// Prints seeds as it goes; on a broken law the course of the schedule, and exits 1 then.
// node test/interleaving/run.ts [--schedules 10000] [--seed S] [--mutant NAME] [--journal]
import { parseArgs } from 'node:util'
import { MUTANT_NAMES, type MutantName } from './mutants.ts'
import { runSchedules } from './run-schedules.ts'

const { values: options } = parseArgs({
  options: {
    schedules: { type: 'string', default: '10000' },
    seed: { type: 'string' },
    mutant: { type: 'string' },
    /** Print the course of a failing schedule from its start, not only its end. */
    journal: { type: 'boolean', default: false },
  },
})

const schedules = integer('schedules', options.schedules)
const seed = options.seed === undefined ? undefined : integer('seed', options.seed)
const mutant = options.mutant as MutantName | undefined
if (mutant !== undefined && !MUTANT_NAMES.includes(mutant)) {
  console.error(`there is no mutant ${mutant}; there are ${MUTANT_NAMES.join(', ')}`)
  process.exit(2)
}
const failure = await runSchedules({
  schedules,
  seed,
  mutant,
  wholeJournal: options.journal,
  log: (line) => console.log(line),
})
if (failure !== undefined) process.exitCode = 1

function integer(name: string, text: string): number {
  const value = Number(text)
  if (Number.isSafeInteger(value) && value >= 0) return value
  console.error(`--${name} must be a whole number, 0 or more, and not ${text}`)
  process.exit(2)
}
