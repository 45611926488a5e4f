"""What is drawn above an image and needs no cache: texts, regions, the grid of the sky."""
