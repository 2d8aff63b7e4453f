// The task as users start it: through Hardhat's command line and through its runtime environment.
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createHardhatRuntimeEnvironment } from 'hardhat/hre'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import type { AgainstReport } from '../../plugin/bench/against/run-against-hardhat.ts'
import type { BenchReport } from '../../plugin/bench/report.ts'
import plugin from '../../plugin/index.ts'

const repository = fileURLToPath(new URL('../../', import.meta.url))
const hardhat = join(repository, 'node_modules', 'hardhat', 'dist', 'src', 'cli.js')
const environment = { ...process.env, CI: 'true', HARDHAT_DISABLE_TELEMETRY_PROMPT: 'true' }

interface Finished {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

function runTask(...given: string[]): Promise<Finished> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [hardhat, 'parallel-bench', ...given],
      { cwd: repository, env: environment },
      (error, stdout, stderr) => {
        resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr })
      },
    )
  })
}

describe('npx hardhat parallel-bench', () => {
  let folder: string
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'parallel-bench-'))
  })
  afterAll(() => rmSync(folder, { recursive: true }))

  it('measures our network beside Hardhat’s own, which end alike', async () => {
    const json = join(folder, 'against.json')
    const { code, stdout } = await runTask(
      ...['--against', 'hardhat', '--against-txs', '4', '--runs', '1', '--json', json],
    )
    expect(code).toBe(0)
    expect(stdout).toMatch(/block of 4 transfers +hardhat .* ms .* ours .* ms .*wanted 2x/)
    const { comparisons } = JSON.parse(readFileSync(json, 'utf8')) as AgainstReport
    expect(comparisons).toHaveLength(6)
    for (const { times } of comparisons) {
      expect(times.hardhat.wall).toBeGreaterThan(0)
      expect(times.parallel.wall).toBeGreaterThan(0)
    }
    const unknown = await runTask('--against', 'anvil')
    expect(unknown.code).not.toBe(0)
    expect(unknown.stderr).toContain('--against: unknown network "anvil"; allowed is hardhat')
  }, 120_000)

  it('measures a workload with each scheduler, prints the table and writes the report', async () => {
    const json = join(folder, 'out.json')
    const size = ['--txs', '20', '--runs', '1', '--workers', '1,2']
    const { code, stdout, stderr } = await runTask(
      ...['--workload', 'erc20-hot', ...size, '--json', json],
      ...['--schedulers', 'optimistic,graph', '--hot'],
    )
    expect(stderr).not.toContain('NOT EQUAL')
    expect(code).toBe(0)
    expect(stdout).toMatch(/erc20-hot +20 +\d\.\d\d +stock /)
    expect(stdout).toMatch(/hottest locations \(graph, 2 workers\):\n.*\n +2 .* of Token 1\n/)
    expect(stdout).toMatch(/Re-runs over all rows: 1 worker: optimistic \d+, graph \d+/)
    expect(stdout).toContain('Equal to stock on every run')
    const report = JSON.parse(readFileSync(json, 'utf8')) as BenchReport
    expect(report.isEqual).toBe(true)
    expect(report.rows.map(({ name }) => name)).toEqual(['erc20-hot'])
    for (const { scheduler, cpu, levels, graph, access } of report.rows[0]!.parallel) {
      expect(cpu).toBeGreaterThan(0)
      // Six of the twenty go to three recipients.
      expect(levels).toBe(2)
      expect(graph !== null && access !== null).toBe(scheduler === 'graph')
    }
  })

  it('refuses a bad option in one line and exits with 1', async () => {
    const { code, stdout, stderr } = await runTask('--workload', 'nfts')
    expect(code).toBe(1)
    expect(stdout + stderr).toContain('--workload: unknown workload "nfts"; allowed are mainnet,')
  })

  // Windows has no SIGINT to send.
  it.skipIf(process.platform === 'win32')('ends with 130 on Ctrl-C', async () => {
    const given = ['parallel-bench', '--workload', 'transfers', '--txs', '20', '--runs', '1000']
    const child = spawn(process.execPath, [hardhat, ...given], {
      cwd: repository,
      env: environment,
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    let stderr = ''
    let isRunning = false
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text
      if (isRunning || !stderr.includes('parallel-bench: 1 of 1')) return
      // The benchmark listens to signals from here on; a moment later it is likely to measure.
      isRunning = true
      setTimeout(() => child.kill('SIGINT'), 500)
    })
    const [code] = (await once(child, 'close')) as [number | null]
    expect(stderr).toContain('parallel-bench: interrupted')
    expect(code).toBe(130)
  })
})

describe("the plugin in Hardhat's runtime environment", () => {
  it('resolves its config section and runs its task', async () => {
    const log = vi.spyOn(console, 'log').mockImplementation(() => {})
    try {
      const hre = await createHardhatRuntimeEnvironment(
        { plugins: [plugin], parallel: { workers: 1 } },
        {},
        repository,
      )
      expect(hre.config.parallel).toEqual({ workers: 1, scheduler: 'auto' })
      const result = await hre.tasks
        .getTask('parallel-bench')
        .run({ workload: 'mint', txs: 10, runs: 1 })
      expect(result).toMatchObject({ success: true, value: { isEqual: true } })
      expect(result.value.options.workers).toEqual([1])
      expect(log.mock.calls.flat().join('\n')).toContain('Equal to stock on every run')
    } finally {
      log.mockRestore()
    }
  })

  it('refuses a bad config with the key in the message', async () => {
    const creating = createHardhatRuntimeEnvironment({
      plugins: [plugin],
      parallel: { workers: -1 },
    })
    await expect(creating).rejects.toThrow('parallel.workers must be an integer from 1 to 64')
  })
})
