"""The index of a photon list beside the file."""
