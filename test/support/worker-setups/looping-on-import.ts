// A setup module that works for ever while it is loaded.
// For tests of the time that a start may take.

for (;;);
