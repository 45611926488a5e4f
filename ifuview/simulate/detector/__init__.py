"""Simulated detector frames, spectra and traces with known truth."""
