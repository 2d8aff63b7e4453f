// An account of a state whose readers wait for the test: a block that needs it cannot end before.
// Authority on how a test is in the middle of a block, however fast or slow the machine is.
// It must not be in the way of anything else: who reads other accounts does not wait.
import { type Address, createZeroAddress } from '@ethereumjs/util'
import type { VM } from '@ethereumjs/vm'

/** An account that no block touches unless it is told to. */
export const farAway: Address = createZeroAddress()

export interface HeldAccount {
  /** Resolves when the account is read for the first time. */
  readonly asked: Promise<void>
  /** Lets the readers go on, also those to come. */
  answer(): void
}

/** Holds `account` in the state of `vm`. Meant for accounts that workers ask for, not loaded ahead. */
export function holdAccount({ stateManager }: VM, account = farAway): HeldAccount {
  const asked = Promise.withResolvers<void>()
  const answered = Promise.withResolvers<void>()
  const getAccount = stateManager.getAccount.bind(stateManager)
  stateManager.getAccount = async (address) => {
    if (address.equals(account)) {
      asked.resolve()
      await answered.promise
    }
    return getAccount(address)
  }
  return { asked: asked.promise, answer: answered.resolve }
}

/** What has happened by now, a thread's death say, has been noticed by everybody after this. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
