"""The recipe "virus": raw amplifiers of many fiber heads to spectra, sky, stars, cubes and detections.

Steps that any detector of fibers has are those of `recipes.camera`. A file of calibrations takes the place of the
frames of lamps: it is made once for many nights.
"""
