// Runs consecutive blocks and reports resident memory: `node test/fault/run-soak.ts [blocks]`.
// The authority on nothing but its exit code: 0 if every block was right and memory stayed flat.
import { isFlat, soak } from './soak.ts'

const blocks = Number(process.argv[2] ?? 1_000)
const report = await soak(blocks, console.log)
for (const difference of report.differences) console.log(difference)
const flat = isFlat(report)
console.log(
  `${blocks} blocks: ${report.afterWarmUp.toFixed(0)} MiB after warm-up, ` +
    `${report.atTheEnd.toFixed(0)} MiB at the end: ${flat ? 'flat' : 'GROWING'}`,
)
process.exitCode = flat && report.differences.length === 0 ? 0 : 1
