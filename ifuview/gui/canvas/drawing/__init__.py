"""What is drawn above an image and needs no cache: texts, regions, the grid of the sky."""

LINE = 1.0  # px of the desktop: a pen of width 0 is one px of the screen, however many these are
