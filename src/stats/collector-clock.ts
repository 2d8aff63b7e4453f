// How long this thread's garbage collector has stopped it.
// Authority on what counts: every pause that Node reports for this thread, whoever made the garbage.
// It must not slow the thread down between collections.

import { PerformanceObserver } from 'node:perf_hooks'

/** Starts counting pauses; returns what was counted since the last call, in ms. */
export function startCollectorClock(): () => number {
  let paused = 0
  const observer = new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) paused += duration
  })
  observer.observe({ entryTypes: ['gc'] })
  return () => {
    // Pauses are reported a turn of the event loop later; those still on their way count here.
    for (const { duration } of observer.takeRecords()) paused += duration
    const since = paused
    paused = 0
    return since
  }
}
