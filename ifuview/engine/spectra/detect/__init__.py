"""Sources found blindly in the spectra of a field: matched filters over place, wavelength and width."""
