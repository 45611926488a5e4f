"""Traces of a frame: loaded, diagnosed, corrected, saved."""
