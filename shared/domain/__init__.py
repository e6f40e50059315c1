"""The rules: pure functions over frozen values, without I/O, clock, randomness or logging."""
