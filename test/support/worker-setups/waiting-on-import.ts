// A setup module that waits for ever while it is loaded.
// For tests of the time that a start may take.

await new Promise(() => {})
