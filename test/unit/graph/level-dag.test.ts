// Holds a graph in execution: who may run when, and that all come to an end.
// The authority is the definition of levels and of dependencies; must not know how nodes are queued.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { DependencyGraph } from '../../../src/graph/dependency-graph.ts'
import { LevelDag, type LevelDagOptions } from '../../../src/graph/level-dag.ts'
import { dependencyRows, listsOf } from './support/lists.ts'

function dagOf(
  rows: readonly (readonly number[])[],
  options?: LevelDagOptions<number>,
): LevelDag<number> {
  const graph = DependencyGraph.fromFlat({ transactions: [...rows.keys()], lists: listsOf(rows) })
  return new LevelDag(graph, options)
}

function takeAll(dag: LevelDag<number>): number[] {
  const taken: number[] = []
  for (let next = dag.take(); next !== undefined; next = dag.take()) taken.push(next)
  return taken
}

describe('a level DAG', () => {
  it('has a level for each step of the longest chain, roots in level 0', () => {
    const dag = dagOf([[], [], [0], [2, 1], [1]])
    expect(dag.levels).toEqual([[0, 1], [2, 4], [3]])
    expect(dag.levelCount).toBe(3)
    expect([0, 1, 2, 3, 4].map((t) => dag.levelOf(t))).toEqual([0, 0, 1, 2, 1])
  })

  it('has its roots in the execute root, and takes each node once', () => {
    const dag = dagOf([[], [], [0]])
    expect(dag.runnableCount).toBe(2)
    expect(takeAll(dag)).toEqual([0, 1])
    expect([0, 1, 2].map((t) => dag.stateOf(t))).toEqual(['running', 'running', 'waiting'])
    expect(dag.take()).toBeUndefined()
  })

  it('releases a node when the last of its dependencies has finished', () => {
    const dag = dagOf([[], [], [0, 1], [2]])
    takeAll(dag)
    expect(dag.finish(1)).toEqual([])
    expect(dag.stateOf(2)).toBe('waiting')
    expect(dag.finish(0)).toEqual([2])
    expect(dag.stateOf(2)).toBe('runnable')
    expect(dag.isFinished).toBe(false)
    for (const t of [2, 3]) {
      expect(takeAll(dag)).toEqual([t])
      dag.finish(t)
    }
    expect(dag.isFinished).toBe(true)
    expect(dag.stateOf(3)).toBe('finished')
  })

  it('runs a node again that was put back, and does not release its dependents before', () => {
    const dag = dagOf([[], [0]])
    dag.take()
    dag.putBack(0)
    expect([dag.stateOf(0), dag.stateOf(1)]).toEqual(['runnable', 'waiting'])
    expect(takeAll(dag)).toEqual([0])
    expect(dag.finish(0)).toEqual([1])
  })

  it('does not see what is added to the graph later', () => {
    const graph = new DependencyGraph<string>()
    graph.addDependency('b', 'a')
    const dag = new LevelDag(graph)
    graph.addDependency('c', 'b')
    expect(dag.levels).toEqual([['a'], ['b']])
  })

  it('of nothing is finished', () => {
    const dag = dagOf([])
    expect([dag.isFinished, dag.levelCount, dag.take()]).toEqual([true, 0, undefined])
  })

  it('refuses to finish or put back what is not running, and what it does not know', () => {
    const dag = dagOf([[], [0]])
    const invalid = expect.objectContaining({ code: 'INVALID_ARGUMENT' })
    const unknown = expect.objectContaining({ code: 'UNKNOWN_TRANSACTION' })
    expect(() => dag.finish(0)).toThrow(invalid)
    expect(() => dag.putBack(1)).toThrow(invalid)
    dag.take()
    dag.finish(0)
    expect(() => dag.finish(0)).toThrow(invalid)
    expect(() => dag.finish(9)).toThrow(unknown)
    expect(() => dag.stateOf(9)).toThrow(unknown)
    expect(() => dag.levelOf(9)).toThrow(unknown)
  })
})

describe('maxParallelLevel', () => {
  /** 0 <- 2 <- 4 and 1 <- 3: three levels, of which the right chain is done first. */
  const rows = [[], [], [0], [1], [2]]

  it('of 1 makes a level wait for the whole level before it', () => {
    const dag = dagOf(rows, { maxParallelLevel: 1 })
    takeAll(dag)
    expect(dag.finish(1)).toEqual([])
    expect([dag.stateOf(3), dag.heldBackCount, dag.take()]).toEqual(['held-back', 1, undefined])
    expect(dag.finish(0).sort()).toEqual([2, 3])
    expect(dag.heldBackCount).toBe(0)
  })

  it('of 2 lets the level after it start, and no more', () => {
    const dag = dagOf(rows, { maxParallelLevel: 2 })
    takeAll(dag)
    expect(dag.finish(0)).toEqual([2])
    expect(takeAll(dag)).toEqual([2])
    expect(dag.finish(2)).toEqual([])
    expect(dag.stateOf(4)).toBe('held-back')
    expect(dag.finish(1).sort()).toEqual([3, 4])
  })

  it('has no limit by default', () => {
    const dag = dagOf(rows)
    takeAll(dag)
    for (const t of [0, 2]) {
      dag.finish(t)
      takeAll(dag)
    }
    expect(dag.stateOf(4)).toBe('running')
  })

  it.each([0, -1, 1.5, Number.NaN])('is not %s', (value) => {
    for (const option of ['maxParallelLevel', 'maxLevelDepth']) {
      const make = (): unknown => dagOf(rows, { [option]: value })
      expect(make).toThrow(expect.objectContaining({ code: 'INVALID_OPTION' }))
      expect(make).toThrow(option)
    }
  })
})

describe('maxLevelDepth', () => {
  const chain = [[], [0], [1]]

  it('refuses a deeper graph and names both depths', () => {
    const make = (): unknown => dagOf(chain, { maxLevelDepth: 2 })
    expect(make).toThrow(expect.objectContaining({ code: 'LEVEL_DEPTH_EXCEEDED' }))
    expect(make).toThrow('The graph has 3 levels; maxLevelDepth allows 2')
  })

  it('accepts a graph of that depth', () => {
    expect(dagOf(chain, { maxLevelDepth: 3 }).levelCount).toBe(3)
  })
})

describe('weightOf', () => {
  it('hands out first what most depends on', () => {
    const rows = [[], [], [], [2]]
    expect(takeAll(dagOf(rows))).toEqual([0, 1, 2])
    expect(takeAll(dagOf(rows, { weightOf: () => 1 }))).toEqual([2, 0, 1])
    const gas = [1, 9, 2, 3]
    expect(takeAll(dagOf(rows, { weightOf: (t) => gas[t] }))).toEqual([1, 2, 0])
  })

  it('is refused where it is negative', () => {
    expect(() => dagOf([[]], { weightOf: () => -1 })).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
    )
  })
})

describe('a DAG that is run by workers in any order', () => {
  const limits = fc.constantFrom(1, 2, 3, Number.POSITIVE_INFINITY)
  const moves = fc.infiniteStream(fc.nat(1000))

  it('runs only what may run, everything that may, and comes to its end', () => {
    fc.assert(
      fc.property(dependencyRows, limits, fc.boolean(), moves, (rows, limit, weighted, stream) => {
        const dag = dagOf(rows, {
          maxParallelLevel: limit,
          ...(weighted && { weightOf: (t: number) => t % 3 }),
        })
        const finished = new Set<number>()
        const running: number[] = []
        const mayStart = (t: number): boolean => {
          const lowest = Math.min(...[...rows.keys()].filter((u) => !finished.has(u)).map(levelOf))
          return rows[t].every((on) => finished.has(on)) && levelOf(t) < lowest + limit
        }
        const levelOf = (t: number): number => dag.levelOf(t)
        while (finished.size < rows.length) {
          const move = stream.next().value as number
          const next = move % 2 === 0 || running.length === 0 ? dag.take() : undefined
          if (next !== undefined) {
            expect(mayStart(next)).toBe(true)
            running.push(next)
            continue
          }
          expect(running).not.toEqual([])
          const [t] = running.splice(move % running.length, 1)
          if (move % 7 === 0) {
            dag.putBack(t)
          } else {
            finished.add(t)
            for (const released of dag.finish(t)) expect(dag.stateOf(released)).toBe('runnable')
          }
          for (const u of rows.keys()) {
            if (finished.has(u) || running.includes(u)) continue
            const ready = rows[u].every((on) => finished.has(on))
            const state = mayStart(u) ? 'runnable' : ready ? 'held-back' : 'waiting'
            expect(dag.stateOf(u)).toBe(state)
          }
        }
        expect(dag.isFinished).toBe(true)
        expect([dag.runnableCount, dag.heldBackCount]).toEqual([0, 0])
      }),
      { numRuns: 300 },
    )
  })
})
