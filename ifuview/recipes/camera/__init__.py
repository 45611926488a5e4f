"""Steps that all recipes of fibers on a detector share: raw amplifiers to calibrations and spectra of the fibers."""
