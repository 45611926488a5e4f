"""Values of photon lists: the list, what is counted from it, calibrations, speckle maps."""
