"""Panels of any image."""
