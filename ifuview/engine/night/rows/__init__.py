"""Levels that keep to rows of the detector."""
