"""What is measured on a frame at the user's wish: sources, cuts along lines, contours."""
