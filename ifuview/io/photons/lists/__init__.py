"""Photon lists in HDF5, each layout by its content."""
