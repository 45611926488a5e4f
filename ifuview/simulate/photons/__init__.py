"""Simulated photon lists with known truth; `python -m ifuview.simulate.photons` writes one."""
