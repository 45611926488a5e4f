"""Fiber-to-fiber and pixel response, from light that all fibers share."""
