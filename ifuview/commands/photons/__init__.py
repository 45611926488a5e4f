"""Commands for photon lists and their calibrations."""
