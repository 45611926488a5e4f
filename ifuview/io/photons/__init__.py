"""Photon lists: the door, calibrations, flags, what is written."""
