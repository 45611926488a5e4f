"""Light of one fiber head: its sky, and what is left of it in chunks of wavelength."""
