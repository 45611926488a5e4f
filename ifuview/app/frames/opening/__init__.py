"""Files opened headless: images with their limits and the frames they become, regions, places on the detector."""
