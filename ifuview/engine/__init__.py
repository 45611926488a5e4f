"""Measurement: pure functions over arrays in canonical axes. No files, no instrument names, no Qt."""
