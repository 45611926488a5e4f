"""The graph of the steps of one detector and exposure, calibrated by a file."""

from __future__ import annotations

from ifuview.recipes.camera.exposure import ExtractParams, make_spectra
from ifuview.recipes.camera.lamps import make_profile, make_response
from ifuview.recipes.graph import Recipe, RecipeStep
from ifuview.recipes.virus.exposure import RawParams, make_raw
from ifuview.recipes.virus.stored import (
    make_ground,
    make_stored_flat,
    make_stored_lamps,
    make_stored_traces,
)
from ifuview.recipes.virus.stored_wave import make_stored_wave
from ifuview.recipes.virus.values import StoredParams

CALIBRATIONS = ("ground", "flat", "traces", "profile", "wave", "response", "lamps")  # made once a file

CAMERA = Recipe(
    "virus-camera",
    "VIRUS detector",
    ("setup", "calibration", "science_raw"),
    (
        RecipeStep("ground", "dark", make_ground, ("setup", "calibration"), None, 0.2),
        RecipeStep("flat", "twilight", make_stored_flat, ("setup", "calibration", "ground"), None, 0.1),
        RecipeStep("traces", "traces", make_stored_traces, ("setup", "calibration", "flat"), StoredParams(), 0.6),
        RecipeStep("profile", "fiber profile", make_profile, ("setup", "flat", "traces"), None, 0.3),
        RecipeStep("wave", "wavelengths", make_stored_wave, ("setup", "calibration"), StoredParams(), 0.2),
        RecipeStep("response", "fiber flat", make_response, ("setup", "flat", "traces", "profile", "wave"), None, 0.4),
        RecipeStep("lamps", "lamps", make_stored_lamps, ("setup", "calibration", "traces", "response"), None, 0.1),
        RecipeStep("science", "raw", make_raw, ("setup", "science_raw", "ground", "response"), RawParams(), 0.2),
        RecipeStep(
            "spectra", "spectra", make_spectra, ("setup", "science", "traces", "profile", "wave"), ExtractParams(), 1.0
        ),
    ),
)
