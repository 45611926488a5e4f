"""The shape of one fiber's light across dispersion."""
