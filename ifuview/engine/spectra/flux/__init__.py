"""From electrons in a pixel to flux density: dispersion, response, atmosphere, one grid for all fibers."""
