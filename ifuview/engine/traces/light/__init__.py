"""The light of the fibers measured on the image: where it lies, how wide it is, which trace it belongs to."""
