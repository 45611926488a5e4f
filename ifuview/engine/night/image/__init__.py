"""What the image of the detector says of findings in the spectra."""
