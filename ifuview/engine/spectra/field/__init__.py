"""What lies in the field: sources, their spectra, apertures, and the cube."""
