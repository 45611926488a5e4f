"""Patterns of trace errors that many fibers share, fitted together, and what they leave."""
