// Whether stock does plain transfers as direct-transfer.ts does, by these chain rules: it is asked, and not
// assumed. Authority on when the direct way may be taken. One for all lanes of a worker that run by the same
// rules; knows nothing of how either way runs.

import type { OverlayStateManager } from './overlay-state-manager.ts'

/** After so many transfers that came out otherwise, the direct way is not tried again. */
const MOST_DIFFERENCES = 64

/**
 * Of one type of transaction:
 *   UNPROVEN --both ways came out alike--> TRUSTED
 *   UNPROVEN --they differed, MOST_DIFFERENCES times--> REFUTED
 * A single difference refutes nothing: a lower transaction may have written between the two.
 */
type Trust = 'unproven' | 'trusted' | 'refuted'

export class TransferTrust {
  readonly #trusted = new Set<number>()
  readonly #differences = new Map<number, number>()

  /** Of transactions of `type` (EIP-2718; legacy is 0). */
  of(type: number): Trust {
    if (this.#trusted.has(type)) return 'trusted'
    return (this.#differences.get(type) ?? 0) < MOST_DIFFERENCES ? 'unproven' : 'refuted'
  }

  /** What both ways left behind for one transaction, as {@link traceOf} tells it. */
  compare(type: number, direct: string, stock: string): void {
    if (direct === stock) this.#trusted.add(type)
    else this.#differences.set(type, (this.#differences.get(type) ?? 0) + 1)
  }
}

/** All that an incarnation is about to leave behind: its encoded result, and what it changed. */
export function traceOf(encodedResult: Uint8Array, overlay: OverlayStateManager): string {
  const accounts = [...overlay.accounts].map((entry) =>
    [
      entry.record,
      entry.exists,
      entry.existsBlindly,
      entry.nonce ?? entry.startNonce,
      entry.balance ?? `+${entry.added}`,
      entry.codeHash ?? entry.startCodeHash,
      entry.clears,
    ].join(),
  )
  return [Buffer.from(encodedResult).toString('hex'), ...accounts.sort(), ...overlay.slots].join(
    ' ',
  )
}
