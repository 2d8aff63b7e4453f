// Holds the graph: what depends on what, what is ready, which edge would close a cycle, what bounds it.
// The authority is the closure by brute force in support/; must not know how the order is kept.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { ParallelError } from '../../../src/errors.ts'
import { DependencyCycleError } from '../../../src/graph/dependency-cycle-error.ts'
import { DependencyGraph } from '../../../src/graph/dependency-graph.ts'
import { listsOf } from './support/lists.ts'
import { closureOf } from './support/reachability.ts'

type Edge = readonly [transaction: string, on: string]

function graphOf(...edges: readonly Edge[]): DependencyGraph<string> {
  const graph = new DependencyGraph<string>()
  for (const [transaction, on] of edges) graph.addDependency(transaction, on)
  return graph
}

describe('a dependency graph', () => {
  it('says what depends on what', () => {
    const graph = graphOf(['c', 'a'], ['c', 'b'], ['d', 'c'])
    expect(graph.getDependencies('c')).toEqual(['a', 'b'])
    expect(graph.getDependents('a')).toEqual(['c'])
    expect(graph.getDependents('d')).toEqual([])
    expect(graph.getRoots()).toEqual(['a', 'b'])
    expect([graph.size, graph.edgeCount]).toEqual([4, 3])
  })

  it('counts a dependency that is named again once', () => {
    const graph = graphOf(['b', 'a'], ['b', 'a'], ['b', 'c'], ['b', 'a'], ['d', 'a'], ['d', 'a'])
    expect(graph.getDependencies('b')).toEqual(['a', 'c'])
    expect(graph.getDependents('a')).toEqual(['b', 'd'])
    expect(graph.edgeCount).toBe(3)
  })

  it('knows transactions that depend on nothing only if they are added', () => {
    const graph = graphOf(['b', 'a'])
    expect([graph.has('c'), graph.getDependencies('c'), graph.getDependents('c')]).toEqual([
      false,
      [],
      [],
    ])
    graph.addTransaction('c')
    graph.addTransaction('c')
    expect(graph.transactions).toEqual(['a', 'b', 'c'])
    expect(graph.getRoots()).toEqual(['a', 'c'])
    expect(graph.topologicalOrder()).toHaveLength(3)
  })

  it('takes a number and its text for two transactions', () => {
    const graph = new DependencyGraph()
    graph.addDependency(1, '1')
    expect(graph.topologicalOrder()).toEqual(['1', 1])
  })
})

describe('the topological order', () => {
  it('keeps dependents in order that are moved behind a new dependency together', () => {
    const graph = graphOf(['x', 'a'], ['y', 'a'], ['x', 'y'])
    graph.addTransaction('last')
    graph.addDependency('a', 'last')
    expect(graph.topologicalOrder()).toEqual(['last', 'a', 'y', 'x'])
  })

  it('is that of naming where every transaction is named after what it depends on', () => {
    const graph = graphOf()
    for (const transaction of ['c', 'a', 'b']) graph.addTransaction(transaction)
    graph.addDependency('b', 'c')
    graph.addDependency('a', 'c')
    expect(graph.topologicalOrder()).toEqual(['c', 'a', 'b'])
  })
})

describe('a transaction is ready', () => {
  const graph = graphOf(['c', 'a'], ['c', 'b'], ['d', 'c'])

  it('when everything that it depends on is completed', () => {
    expect(graph.isReady('c', new Set(['a']))).toBe(false)
    expect(graph.isReady('c', new Set(['a', 'b']))).toBe(true)
    expect(graph.isReady('d', new Set(['a', 'b']))).toBe(false)
  })

  it('when the graph does not know it', () => {
    expect(graph.isReady('x', new Set())).toBe(true)
  })

  it('and listed if it is asked for and not completed itself, in the order asked', () => {
    const all = ['d', 'x', 'c', 'b', 'a']
    expect(graph.getReadyTransactions(all, new Set())).toEqual(['x', 'b', 'a'])
    expect(graph.getReadyTransactions(all, new Set(['a', 'b', 'x']))).toEqual(['c'])
    // What is not among `all` must still be completed.
    expect(graph.getReadyTransactions(['d'], new Set())).toEqual([])
    expect(graph.getReadyTransactions(all, new Set(all))).toEqual([])
  })
})

describe('a cycle', () => {
  it('is an error that names it, each transaction before what it depends on', () => {
    const graph = graphOf(['b', 'a'], ['c', 'b'], ['d', 'c'], ['x', 'b'])
    const close = (): void => graph.addDependency('a', 'd')
    expect(close).toThrow(DependencyCycleError)
    expect(close).toThrow(ParallelError)
    expect(close).toThrow(
      expect.objectContaining({ code: 'DEPENDENCY_CYCLE', cycle: ['a', 'd', 'c', 'b', 'a'] }),
    )
    expect(close).toThrow('a -> d -> c -> b -> a')
  })

  it('of a transaction with itself is one', () => {
    const graph = graphOf()
    expect(() => graph.addDependency('a', 'a')).toThrow(
      expect.objectContaining({ cycle: ['a', 'a'] }),
    )
    expect(graph.size).toBe(0)
  })

  it('leaves the graph as it was', () => {
    const graph = graphOf(['b', 'a'], ['c', 'b'])
    const before = [graph.edgeCount, graph.topologicalOrder()]
    expect(() => graph.addDependency('a', 'c')).toThrow(DependencyCycleError)
    expect([graph.edgeCount, graph.topologicalOrder()]).toEqual(before)
    graph.addDependency('c', 'a')
    expect(graph.getDependencies('c')).toEqual(['b', 'a'])
  })

  it('is refused exactly where an edge closes one, and the order stays topological', () => {
    const edges = fc.array(fc.tuple(fc.nat(9), fc.nat(9)), { maxLength: 40 })
    fc.assert(
      fc.property(edges, fc.boolean(), (tried, isNamedFirst) => {
        const graph = new DependencyGraph<number>()
        if (isNamedFirst) for (let t = 0; t < 10; t++) graph.addTransaction(t)
        const accepted: (readonly [number, number])[] = []
        const depends = (a: number, b: number): boolean =>
          accepted.some(([from, to]) => from === a && to === b)
        for (const [transaction, on] of tried) {
          const closes = transaction === on || closureOf(10, depends)[on][transaction]
          if (closes) {
            const error = catchCycle(() => graph.addDependency(transaction, on))
            expectCycle(error.cycle as number[], [transaction, on], depends)
          } else {
            graph.addDependency(transaction, on)
            accepted.push([transaction, on])
          }
        }
        const order = graph.topologicalOrder()
        expect(order.toSorted()).toEqual(graph.transactions.toSorted())
        for (const [transaction, on] of accepted) {
          expect(order.indexOf(on)).toBeLessThan(order.indexOf(transaction))
        }
        expect(graph.edgeCount).toBe(new Set(accepted.map(String)).size)
      }),
      { numRuns: 500 },
    )
  })
})

function catchCycle(call: () => void): DependencyCycleError {
  try {
    call()
  } catch (error) {
    if (error instanceof DependencyCycleError) return error
    throw error
  }
  throw new Error('no cycle was found')
}

/** The cycle begins with the refused edge and goes on along edges that there are. */
function expectCycle(
  cycle: readonly number[],
  refused: readonly [number, number],
  depends: (a: number, b: number) => boolean,
): void {
  expect(cycle.slice(0, 2)).toEqual(refused)
  expect(cycle.at(-1)).toBe(refused[0])
  for (let i = 1; i + 1 < cycle.length; i++) expect(depends(cycle[i], cycle[i + 1])).toBe(true)
}

describe('the critical path', () => {
  const graph = graphOf(['b', 'a'], ['c', 'b'], ['e', 'd'])

  it('by count is the longest chain, and bounds the speed-up', () => {
    expect(graph.criticalPath()).toEqual({
      transactions: ['a', 'b', 'c'],
      weight: 3,
      totalWeight: 5,
      speedUpBound: 5 / 3,
    })
  })

  it('by weight is the heaviest chain', () => {
    const gas: Record<string, number> = { a: 10, b: 10, c: 10, d: 50, e: 20 }
    expect(graph.criticalPath((transaction) => gas[transaction])).toEqual({
      transactions: ['d', 'e'],
      weight: 70,
      totalWeight: 100,
      speedUpBound: 100 / 70,
    })
  })

  it('of independent transactions is one of them, and of none is empty', () => {
    const independent = new DependencyGraph<number>()
    for (let t = 0; t < 8; t++) independent.addTransaction(t)
    expect(independent.criticalPath()).toMatchObject({ transactions: [0], speedUpBound: 8 })
    expect(graphOf().criticalPath()).toEqual({
      transactions: [],
      weight: 0,
      totalWeight: 0,
      speedUpBound: 1,
    })
  })

  it('of what weighs nothing bounds nothing away', () => {
    expect(graph.criticalPath(() => 0)).toMatchObject({ weight: 0, speedUpBound: 1 })
  })

  it.each([-1, Number.NaN, Number.POSITIVE_INFINITY, undefined as unknown as number])(
    'refuses the weight %s',
    (weight) => {
      expect(() => graph.criticalPath(() => weight)).toThrow(
        expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
      )
    },
  )

  it('follows what is added to the graph after it was asked for', () => {
    const growing = graphOf(['b', 'a'])
    expect(growing.criticalPath().weight).toBe(2)
    growing.addDependency('c', 'b')
    expect(growing.criticalPath().weight).toBe(3)
    growing.addTransaction('d')
    expect(growing.criticalPath().totalWeight).toBe(4)
  })
})

describe('a graph from flat lists', () => {
  it('is the graph that they describe, in their order', () => {
    const graph = DependencyGraph.fromFlat({
      transactions: ['x', 'y', 'z'],
      lists: listsOf([[], [], [0, 1]]),
    })
    expect(graph.getDependencies('z')).toEqual(['x', 'y'])
    expect(graph.getDependents('x')).toEqual(['z'])
    expect(graph.topologicalOrder()).toEqual(['x', 'y', 'z'])
    graph.addDependency('x', 'y')
    expect(graph.topologicalOrder()).toEqual(['y', 'x', 'z'])
    expect(() => graph.addDependency('y', 'z')).toThrow(DependencyCycleError)
  })

  it('refuses lists that do not fit', () => {
    const refused = (transactions: string[], rows: number[][]): void => {
      const lists = listsOf(rows)
      expect(() => DependencyGraph.fromFlat({ transactions, lists })).toThrow(
        expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
      )
    }
    refused(['a', 'b'], [[]])
    refused(['a', 'a'], [[], []])
    refused(['a', 'b'], [[1], []])
    refused(['a', 'b'], [[], [-1]])
  })
})
