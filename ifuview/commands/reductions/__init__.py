"""Commands that reduce raw exposures: one file a system, `reduce` the one that needs no other word."""
