// Stands in for @types/debug, which the declarations of ethereumjs mention but do not bring along.
// With it the consumer compiles without skipLibCheck, which would hide faults in our own declarations.
// Must not declare anything else.
declare namespace debug {
  interface Debugger {
    (formatter: unknown, ...args: unknown[]): void
    enabled: boolean
  }
}

declare module 'debug' {
  export type Debugger = debug.Debugger
}
