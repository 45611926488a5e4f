"""What is summed over the voxels of a cube: spectra of regions, images of wavelength ranges, moments and line maps."""
