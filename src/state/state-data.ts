// What a flat state is to the state manager over it: values by key, with undo and roots.
// Authority on the words between the two. Keys are 20 bytes for accounts and 32 for slots.

/** An account. Its storage root is the one that was computed last, or that of nothing where there is none. */
export interface AccountFields {
  readonly nonce: bigint
  readonly balance: bigint
  readonly codeHash: Uint8Array
  readonly storageRoot: Uint8Array
}

export interface StateData {
  account(address: Uint8Array): AccountFields | undefined
  /** Puts an account, except its storage root, or deletes it with its storage. */
  setAccount(address: Uint8Array, fields: AccountFields | undefined): void
  /** The value of a slot without leading zeros. */
  slot(address: Uint8Array, key: Uint8Array): Uint8Array
  /** Puts a slot of an account that exists; the value has no leading zeros. */
  setSlot(address: Uint8Array, key: Uint8Array, value: Uint8Array): void
  clearSlots(address: Uint8Array): void
  /** What is left of an account's storage where its root is put as that of nothing; see `FlatState`. */
  emptyStorage(address: Uint8Array): void
  /** Code by its hash; none where nobody has put it. */
  code(hash: Uint8Array): Uint8Array
  putCode(hash: Uint8Array, code: Uint8Array): void
  /** A point to which {@link takeBack} can go. */
  mark(): number
  takeBack(mark: number): void
  root(): Uint8Array
  /**
   * What was changed is final, and its root, if it is known, is kept and stored.
   * @throws ParallelError `STORE_WRITE_FAILED`, with nothing done
   */
  committed(): void
  /** Keeps the root, if it is known, without storing anything. */
  keepRoot(): void
  /** Whether {@link goTo} can go there. */
  has(root: Uint8Array): boolean
  /** Makes the state of a kept root the present one; `false` if it is not kept. */
  goTo(root: Uint8Array): boolean
}
