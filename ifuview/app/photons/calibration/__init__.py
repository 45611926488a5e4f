"""Calibrations of photon lists: solved from lasers and lamps, stacked on a frame, written to files."""
