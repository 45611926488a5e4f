"""Wavelength, flat, linearity, bad pixels and cosmic rays of photon lists."""
