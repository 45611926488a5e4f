"""Diagnostics: one question asked of a product, with metrics, limits and figures."""
