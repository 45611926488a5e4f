"""Products of instruments: one family a module."""
