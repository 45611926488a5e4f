"""Bumps over wavelength that some fibers share: neighbors in the field, or on the slit."""
