// Makes an access list wrong in a few places, and leaves it well-formed, so that it is followed first and
// refused in the end. Authority on the ways to be wrong that random blocks meet.
// It must draw nothing itself: the same numbers make the same list.
import type { BALJSONAccountChanges, BALJSONBlockAccessList } from '@ethereumjs/util'

type Hex = `0x${string}`
interface Change {
  blockAccessIndex: Hex
}

/** `list` itself, changed once for each of `corruptions`. */
export function corrupted(
  list: BALJSONBlockAccessList,
  corruptions: readonly number[],
): BALJSONBlockAccessList {
  for (const corruption of corruptions) {
    if (list.length > 0) corrupt(list, drawer(corruption))
  }
  for (const account of list) tidy(account)
  return list
}

/** Numbers below a limit, taken from one number. */
type Draw = (limit: number) => number

function drawer(number: number): Draw {
  let rest = number
  return (limit) => {
    rest = (Math.imul(rest, 0x9e3779b1) ^ (rest >>> 15)) >>> 0
    return rest % limit
  }
}

function corrupt(list: BALJSONBlockAccessList, draw: Draw): void {
  const account = list[draw(list.length)]!
  const other = list[draw(list.length)]!
  const index = hex(draw(16))
  const value = hex(draw(3) === 0 ? 0 : draw(256))
  const slot = account.storageChanges[draw(Math.max(1, account.storageChanges.length))]
  switch (draw(12)) {
    case 0:
      account.balanceChanges.push({ blockAccessIndex: index, postBalance: value })
      return
    case 1:
      account.nonceChanges.push({ blockAccessIndex: index, postNonce: value })
      return
    case 2:
      account.codeChanges.push({ blockAccessIndex: index, newCode: draw(2) ? '0x' : '0x60016000' })
      return
    case 3:
      slot?.slotChanges.push({ blockAccessIndex: index, postValue: value })
      return
    case 4:
      for (const change of account.balanceChanges) change.postBalance = `0x${'ff'.repeat(draw(33))}`
      return
    case 5:
      for (const change of slot?.slotChanges ?? []) change.postValue = value
      return
    case 6:
      remove(draw(2) ? account.nonceChanges : account.balanceChanges, draw)
      return
    case 7:
      remove(slot?.slotChanges ?? account.codeChanges, draw)
      return
    case 8:
      other.storageChanges.push(...structuredClone(account.storageChanges))
      return
    case 9:
      account.storageChanges.push({
        slot: hex(draw(4)),
        slotChanges: [{ blockAccessIndex: index, postValue: value }],
      })
      return
    case 10:
      for (const change of changesOf(account)) {
        change.blockAccessIndex = hex(Math.max(0, Number(change.blockAccessIndex) + draw(5) - 2))
      }
      return
    default:
      account.balanceChanges = structuredClone(other.balanceChanges)
      account.nonceChanges = structuredClone(other.nonceChanges)
  }
}

function remove(changes: Change[], draw: Draw): void {
  changes.splice(draw(Math.max(1, changes.length)), 1)
}

function changesOf(account: BALJSONAccountChanges): Change[] {
  const { balanceChanges, nonceChanges, codeChanges, storageChanges } = account
  const slots = storageChanges.flatMap(({ slotChanges }) => slotChanges)
  return [...balanceChanges, ...nonceChanges, ...codeChanges, ...slots]
}

/** One change for each index and one entry for each slot, in order. */
function tidy(account: BALJSONAccountChanges): void {
  account.balanceChanges = inOrder(account.balanceChanges)
  account.nonceChanges = inOrder(account.nonceChanges)
  account.codeChanges = inOrder(account.codeChanges)
  const slots = new Map(
    account.storageChanges.map((one) => [BigInt(one.slot === '0x' ? 0 : one.slot), one]),
  )
  account.storageChanges = [...slots]
    .filter(([, { slotChanges }]) => slotChanges.length > 0)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, one]) => ({ ...one, slotChanges: inOrder(one.slotChanges) }))
  account.storageReads = account.storageReads.filter(
    (slot) => !slots.has(BigInt(slot === '0x' ? 0 : slot)),
  )
}

function inOrder<T extends Change>(changes: readonly T[]): T[] {
  const byIndex = new Map(changes.map((change) => [Number(change.blockAccessIndex), change]))
  return [...byIndex].sort(([a], [b]) => a - b).map(([, change]) => change)
}

function hex(value: number): Hex {
  const digits = value.toString(16)
  return `0x${digits.length % 2 === 0 ? digits : `0${digits}`}`
}
