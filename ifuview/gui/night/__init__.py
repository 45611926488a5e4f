"""Panels of a night."""
