"""Panels of traces and findings."""
