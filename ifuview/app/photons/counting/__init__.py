"""Photons counted into pictures, for any cut and through time."""
