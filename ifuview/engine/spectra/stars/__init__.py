"""Stars of a catalog in the fibers of an exposure: found, matched, and what they tell of pointing, optics and flux."""
