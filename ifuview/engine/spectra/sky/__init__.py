"""The sky's light in every fiber, from the wavelengths of all fibers together."""
