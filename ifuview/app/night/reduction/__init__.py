"""Reductions: which calibrations belong to an exposure, the recipe run on them, and what becomes of the values."""
