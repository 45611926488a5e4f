"""Photon lists of MKID arrays: images, cubes, light curves, spectra, bad pixels, calibrations, speckle statistics."""
