"""The same fiber and wavelength in every exposure and product."""
