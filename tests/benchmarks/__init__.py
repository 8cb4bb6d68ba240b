"""Benchmarks: ratios of two ways of doing the same work in one process, interleaved; never asserted in tests."""
