"""Reports of photon lists."""
