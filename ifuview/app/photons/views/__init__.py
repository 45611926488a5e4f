"""Views of photon lists, calibrations, light and speckles."""
