"""Statistics of speckles and arrival times."""
