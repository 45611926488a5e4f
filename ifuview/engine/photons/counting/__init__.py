"""Photons counted: images, cubes, light curves, spectra, live while a slider moves."""
