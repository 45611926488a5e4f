"""Traces of a slit of fibers: those of a table found in the light, smooth over fibers, carried to another exposure."""
