"""Matched searches: what one wrong number would leave in the spectra, and which fibers, runs and bins have it."""
