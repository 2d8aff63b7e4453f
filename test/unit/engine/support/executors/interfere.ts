// An executor module whose transactions lose against a commit that they make themselves, by another way.
// Must not be imported by a test: threads load it.
import {
  type EngineTransaction,
  MvccStore,
  type MvccStoreHandle,
  type StateView,
} from '../../../../../src/engine/index.ts'

export default function interfere(
  state: StateView,
  { input }: EngineTransaction<{ handle: MvccStoreHandle }>,
): void {
  using other = MvccStore.attach(input!.handle)
  const first = other.begin()
  first.write('contended', Uint8Array.of(1))
  first.commit()
  state.write('contended', Uint8Array.of(2))
}
