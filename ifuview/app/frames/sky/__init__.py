"""Where pixels lie on the sky: exact maps both ways, views that follow the sky, the words of a position."""
