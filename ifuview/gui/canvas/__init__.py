"""The image canvas: three cached stages from pixels to picture, and what is drawn above it."""
