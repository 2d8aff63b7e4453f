// Tells listeners what happened, by name. The authority on nothing but that one listener's failure does
// not keep others from hearing. Synchronous.

type Listeners = Record<string, (...details: never[]) => void>

export class EventHub<Events> {
  readonly #listeners = new Map<keyof Events, Set<unknown>>()

  /** Returns how to stop. */
  on<Name extends keyof Events>(name: Name, listener: Events[Name]): () => void {
    let listeners = this.#listeners.get(name)
    if (listeners === undefined) {
      listeners = new Set()
      this.#listeners.set(name, listeners)
    }
    listeners.add(listener)
    return () => {
      listeners.delete(listener)
    }
  }

  emit<Name extends keyof Events>(
    name: Name,
    ...details: Events[Name] extends (...details: infer Details) => void ? Details : never
  ): void {
    for (const listener of [...(this.#listeners.get(name) ?? [])]) {
      try {
        ;(listener as Listeners[string])(...(details as unknown as never[]))
      } catch (error) {
        // Whoever listens must not stop the miner; but it must show.
        process.emitWarning(error instanceof Error ? error : String(error))
      }
    }
  }

  clear(): void {
    this.#listeners.clear()
  }
}
