"""Cross-sections and spectra of fibers, as figures of docks and pages."""
