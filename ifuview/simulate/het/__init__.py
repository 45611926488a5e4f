"""Raw nights of fiber spectrographs that are read as one file an amplifier, with everything that is known of them."""
