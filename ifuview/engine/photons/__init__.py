"""Photon lists: images, cubes, light curves, spectra, bad pixels, calibrations, speckle statistics."""
