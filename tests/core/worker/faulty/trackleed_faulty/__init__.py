"""Backends for the tests of workers: small, real, and badly behaved on demand."""
