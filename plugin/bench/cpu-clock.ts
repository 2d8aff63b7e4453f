// The processor time of a stretch of the program, in ms: of all threads of this process together.
// The authority on what CPU time means in the benchmark: user and system time, garbage collection too.
// Must not be used for stretches in which the process does anything else.

/** Starts a clock; calling the result tells what was spent since. */
export function startCpuClock(): () => number {
  const before = process.cpuUsage()
  return () => {
    const { user, system } = process.cpuUsage(before)
    return (user + system) / 1000
  }
}
