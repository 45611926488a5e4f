"""Reports of the window as values."""
