"""Wavelengths of fiber spectra: lines of lamps found, told apart without a seed, and fitted smoothly over fibers."""
