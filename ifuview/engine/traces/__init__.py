"""Where the light of the fibers lies on the detector, and how wide it is."""
