"""One metric a file: pure functions on decoded pixels."""
