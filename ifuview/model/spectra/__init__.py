"""Values of the spectra of fibers."""
