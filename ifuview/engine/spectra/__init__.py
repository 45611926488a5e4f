"""From image and traces to spectra; one fiber looked at."""
