"""What can be measured on any image: a source, a cut along a line, contours."""
