"""Benchmarks of the bars, run by `python -m tests.bench`; not part of the test suite."""
