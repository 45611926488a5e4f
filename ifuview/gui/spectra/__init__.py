"""Panels of spectra, fibers, tables and the focal plane."""
