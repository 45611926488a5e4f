"""The graph of the steps of one channel and exposure."""

from __future__ import annotations

from ifuview.recipes.camera.dark import DarkParams, make_dark
from ifuview.recipes.camera.exposure import DriftParams, ExtractParams, make_drift, make_science, make_spectra
from ifuview.recipes.camera.lamps import (
    FlatParams,
    TraceParams,
    WaveParams,
    make_arcs,
    make_clean_response,
    make_flat,
    make_profile,
    make_traces,
    make_wave,
)
from ifuview.recipes.camera.read import ReadParams, make_biases
from ifuview.recipes.graph import Recipe, RecipeStep
from ifuview.recipes.lrs2.science import (
    CurveParams,
    FluxParams,
    PictureParams,
    SkyParams,
    SourcesParams,
    SpectrumParams,
    make_cubes,
    make_curve,
    make_field,
    make_flux,
    make_picture,
    make_sky,
    make_sources,
    make_spectrum,
)

CALIBRATIONS = ("biases", "dark", "flat", "traces", "profile", "arcs", "wave", "response")  # made once a night
LIGHT = ("setup", "science", "spectra", "drift", "response")  # that flux is made of

RECIPE = Recipe(
    "lrs2",
    "LRS2",
    ("setup", "science_raw", "zeros", "twilights", "flats", "lamps", "darks", "skies", "other_sky", "star"),
    (
        RecipeStep("biases", "bias", make_biases, ("setup", "zeros?"), ReadParams(), 0.3),
        RecipeStep("dark", "dark", make_dark, ("setup", "biases?", "darks?"), DarkParams(), 0.1),
        RecipeStep(
            "flat", "twilight", make_flat, ("setup", "biases?", "twilights?", "flats?", "skies?"), FlatParams(), 0.3
        ),
        RecipeStep("traces", "traces", make_traces, ("setup", "flat"), TraceParams(), 2.0),
        RecipeStep("profile", "fiber profile", make_profile, ("setup", "flat", "traces"), None, 1.0),
        RecipeStep("arcs", "arcs", make_arcs, ("setup", "biases?", "lamps", "traces", "profile"), ReadParams(), 0.7),
        RecipeStep("wave", "wavelengths", make_wave, ("setup", "arcs", "flat", "traces", "profile"), WaveParams(), 1.0),
        RecipeStep(
            "response",
            "fiber flat",
            make_clean_response,
            ("setup", "flat", "traces", "profile", "wave", "arcs?"),
            None,
            0.7,
        ),
        RecipeStep(
            "science", "raw", make_science, ("setup", "science_raw", "biases?", "response", "dark?"), ReadParams(), 0.2
        ),
        RecipeStep(
            "spectra", "spectra", make_spectra, ("setup", "science", "traces", "profile", "wave"), ExtractParams(), 2.5
        ),
        RecipeStep("drift", "drift", make_drift, ("setup", "spectra", "wave"), DriftParams(), 0.3),
        RecipeStep("curve", "response", make_curve, ("setup", "star?"), CurveParams(), 0.1),
        RecipeStep("flux", "flux", make_flux, (*LIGHT, "curve", "science_raw"), FluxParams(), 0.1),
        RecipeStep("sources", "search", make_sources, ("setup", "flux", "drift", "other_sky?"), SourcesParams(), 1.0),
        RecipeStep("sky", "sky", make_sky, ("setup", "flux", "drift", "sources", "other_sky?"), SkyParams(), 0.6),
        RecipeStep("field", "grid", make_field, ("setup", "flux", "sky"), None, 0.2),
        RecipeStep("spectrum", "source", make_spectrum, ("setup", "field", "sky"), SpectrumParams(), 0.2),
        RecipeStep("cubes", "cubes", make_cubes, ("setup", "field", "sky"), None, 0.5),
        RecipeStep("picture", "picture", make_picture, ("setup", "cubes"), PictureParams(), 0.1),
    ),
    {"lamps": "there are no arcs of the lamps of this channel; give a folder of nights that has them"},
)
