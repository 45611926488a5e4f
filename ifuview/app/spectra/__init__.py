"""Fibers and their spectra: inspected, chosen, stacked."""
