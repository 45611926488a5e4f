"""Panels of photon lists."""
