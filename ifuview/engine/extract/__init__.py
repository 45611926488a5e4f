"""From image and traces to spectra."""
