// The logs of a simulated call, and with traceTransfers the ether that it moves, as if those were logs too.
// The authority on what a transfer's log looks like (ERC-7528) and on which logs a failure takes back.
// Must not see the block's hash: it is known only afterwards.
import { Address, concatBytes, hexToBytes } from '@ethereumjs/util'

import type { ExecutionLog, ExecutionObserver, Frame, FrameEnd } from '../observe-execution.ts'
import { wordBytes } from '../step-operands.ts'

const transferAddress = new Address(hexToBytes(`0x${'ee'.repeat(20)}`))
/** `Transfer(address,address,uint256)` */
const transferTopic = hexToBytes(
  '0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef',
)

export interface NumberedLog extends ExecutionLog {
  /** In the block. Numbers of logs that were taken back are not used again. */
  readonly index: number
}

export class SimulateLogs implements ExecutionObserver {
  readonly #tracesTransfers: boolean
  readonly #kept = new Map<Frame, NumberedLog[]>()
  #next = 0
  #logs: readonly NumberedLog[] = []

  constructor(tracesTransfers: boolean) {
    this.#tracesTransfers = tracesTransfers
  }

  enter(frame: Frame): void {
    this.#kept.set(frame, [])
    const { type, value = 0n } = frame
    if (!this.#tracesTransfers || value === 0n) return
    if (type === 'DELEGATECALL' || type === 'CALLCODE') return
    // Where a creation puts its contract is known later.
    if (frame.to !== undefined) this.#transfer(frame)
  }

  log(log: ExecutionLog, frame: Frame): void {
    this.#kept.get(frame)?.push({ ...log, index: this.#next })
    this.#next += 1
  }

  exit(frame: Frame, { error }: FrameEnd): void {
    if (frame.type.startsWith('CREATE') && this.#tracesTransfers && (frame.value ?? 0n) > 0n) {
      this.#transfer(frame)
    }
    const logs = error === undefined ? (this.#kept.get(frame) ?? []) : []
    this.#kept.delete(frame)
    if (frame.parent === undefined) this.#logs = logs
    else this.#kept.get(frame.parent)?.push(...logs)
  }

  /** Of the last call. */
  take(): readonly NumberedLog[] {
    const logs = this.#logs
    this.#logs = []
    return logs
  }

  #transfer(frame: Frame): void {
    const { from, to, value = 0n } = frame
    if (to === undefined) return
    const log = {
      address: transferAddress,
      topics: [transferTopic, padded(from), padded(to)],
      data: wordBytes(value),
    }
    const own = this.#kept.get(frame)!
    const numbered = { ...log, index: this.#next }
    this.#next += 1
    // A payment comes before whatever it sets off.
    own.unshift(numbered)
  }
}

function padded(address: Address): Uint8Array {
  return concatBytes(new Uint8Array(12), address.bytes)
}
