// Says that a directory is in use, so that no other process writes to it meanwhile.
// The authority on when a lock is void: its process is gone, however it ended.
// Must not be taken for more than that: two processes that clear away the same void lock at once both pass.

import { readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

const NAME = 'owner'
/** ms that a process which was just told to end, or killed, may still take. */
const PATIENCE_MS = 2_000
const STEP_MS = 50

/** Of this process, which its number alone does not tell: containers have the same ones each time. */
const held = new Set<string>()

/**
 * Locks a directory that is there. Returns how to unlock it.
 * @throws Error if it is in use
 */
export async function lockDirectory(directory: string): Promise<() => void> {
  const path = join(realpathSync(directory), NAME)
  if (held.has(path)) throw inUse(directory, process.pid, path)
  if (!tryToWrite(path)) {
    for (let waited = 0; ; waited += STEP_MS) {
      const owner = readOwner(path)
      if (owner === undefined || owner.pid === process.pid || !isRunning(owner)) break
      if (waited >= PATIENCE_MS) throw inUse(directory, owner.pid, path)
      await sleep(STEP_MS)
    }
    if (held.has(path)) throw inUse(directory, process.pid, path)
    rmSync(path, { force: true })
    if (!tryToWrite(path)) throw inUse(directory, readOwner(path)?.pid, path)
  }
  held.add(path)
  return () => {
    if (held.delete(path)) rmSync(path, { force: true })
  }
}

interface Owner {
  readonly pid: number
  /** Empty where the system does not tell. */
  readonly started: string
}

function tryToWrite(path: string): boolean {
  try {
    writeFileSync(path, `${process.pid} ${readProcess(process.pid).started}\n`, { flag: 'wx' })
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

/** Undefined where the file is gone, or was never written to its end. */
function readOwner(path: string): Owner | undefined {
  try {
    const [, pid, started = ''] = /^(\d+) (\d*)\n$/.exec(readFileSync(path, 'utf8')) ?? []
    return pid === undefined ? undefined : { pid: Number(pid), started }
  } catch {
    return undefined
  }
}

function isRunning({ pid, started }: Owner): boolean {
  try {
    process.kill(pid, 0)
  } catch (error) {
    // It is there, and somebody else's.
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false
  }
  const now = readProcess(pid)
  // One that has ended and whose parent has not heard of it yet.
  if (now.state === 'Z') return false
  // Another process may have got the number since.
  return started === '' || now.started === '' || now.started === started
}

/** When a process began, in the system's own units, and its state; empty where only Linux would tell. */
function readProcess(pid: number): { state: string; started: string } {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The name, in parentheses, may have spaces; what follows it begins with the state (proc(5)).
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
    return { state: fields[0] ?? '', started: fields[19] ?? '' }
  } catch {
    return { state: '', started: '' }
  }
}

function inUse(directory: string, pid: number | undefined, path: string): Error {
  const owner = pid === undefined ? 'another process' : `process ${pid}`
  return new Error(`${directory} is in use by ${owner}; if that is no devnet, remove ${path}`)
}
