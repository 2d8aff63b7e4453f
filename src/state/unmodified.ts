// Tells objects that are just what their class says from those that somebody has changed.
// Authority on what may be bypassed. Cannot see changes of the class itself.

/** Whether `object` is of just this class, and has no method of its own but `allowed` ones. */
export function isUnmodified(
  object: object,
  itsClass: { readonly prototype: object },
  allowed: readonly string[] = [],
): boolean {
  return (
    Object.getPrototypeOf(object) === itsClass.prototype &&
    Object.getOwnPropertyNames(object).every(
      (name) => !(name in itsClass.prototype) || allowed.includes(name),
    )
  )
}
