// A task that keeps a core busy: how many numbers below its input have no divisor.
import type { EngineTransaction, StateView } from 'parallel-evm/engine'

export default function countPrimes(
  _state: StateView,
  { input }: EngineTransaction<number>,
): number {
  let primes = 0
  for (let candidate = 2; candidate < input!; candidate++) {
    let isPrime = true
    for (let divisor = 2; divisor * divisor <= candidate && isPrime; divisor++) {
      isPrime = candidate % divisor !== 0
    }
    if (isPrime) primes++
  }
  return primes
}
