"""Spectral axes beyond linear wavelengths: codes of the FITS standard, tables, IRAF; loaded where a header asks."""
