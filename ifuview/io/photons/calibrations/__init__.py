"""Wavelength solutions and flats of photon lists, in every form that pipelines wrote them."""
