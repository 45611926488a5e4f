"""The graphs of an observation: a head by itself, what all heads share, and a head with that.

`HEAD` is made twice: for every head as far as "pictures", from which `SHOT` finds the solution; then, with it, to the
end. What the first turn made is taken from the cache where it is still there.
"""

from __future__ import annotations

from ifuview.engine.spectra.detect.search import DetectParams
from ifuview.recipes.graph import Recipe, RecipeStep
from ifuview.recipes.virus.detect import make_detections
from ifuview.recipes.virus.field import (
    FieldParams,
    HeadCubeParams,
    StarParams,
    make_cube,
    make_fields,
    make_reduced,
    make_simulated,
    make_sky,
    make_stars,
)
from ifuview.recipes.virus.head import (
    ChunkParams,
    HeadFluxParams,
    ResponseParams,
    TrailParams,
    make_first_sky,
    make_head_flux,
    make_pictures,
    make_response,
    make_trails,
)
from ifuview.recipes.virus.light.sky import HeadSkyParams
from ifuview.recipes.virus.light.stars import SolutionParams, make_shot_stars
from ifuview.recipes.virus.solution import make_solution

FIRST = ("pictures",)  # of a head, that the solution is made from

HEAD = Recipe(
    "virus head",
    "VIRUS, one fiber head",
    ("setup", "exposures", "others", "solution", "catalog", "source"),
    (
        RecipeStep("flux", "flux", make_head_flux, ("setup", "exposures"), HeadFluxParams(), 0.3),
        RecipeStep("first_sky", "first sky", make_first_sky, ("setup", "flux", "others?"), HeadSkyParams(), 1.0),
        RecipeStep("trails", "trails", make_trails, ("flux", "first_sky"), TrailParams(), 0.2),
        RecipeStep("response", "fiber response", make_response, ("trails", "first_sky"), ResponseParams(), 0.3),
        RecipeStep("pictures", "pictures", make_pictures, ("setup", "response", "first_sky"), ChunkParams(), 0.5),
        RecipeStep(
            "sky",
            "sky",
            make_sky,
            ("setup", "response", "pictures", "solution", "catalog?", "others?"),
            HeadSkyParams(),
            1.0,
        ),
        RecipeStep("fields", "grid", make_fields, ("setup", "response", "sky", "solution"), FieldParams(), 0.3),
        RecipeStep(
            "stars",
            "stars",
            make_stars,
            ("setup", "fields", "response", "pictures", "solution", "catalog?"),
            StarParams(),
            0.2,
        ),
        RecipeStep(
            "detections",
            "detections",
            make_detections,
            ("setup", "response", "fields", "stars", "solution"),
            DetectParams(),
            2.0,
        ),
        RecipeStep("cube", "cube", make_cube, ("setup", "fields", "stars", "solution"), HeadCubeParams(), 0.4),
        RecipeStep(
            "simulated",
            "simulated",
            make_simulated,
            ("setup", "fields", "stars", "solution", "source"),
            HeadCubeParams(),
            0.4,
        ),
        RecipeStep("reduced", "head", make_reduced, ("fields", "stars", "cube", "simulated?"), None, 0.1),
    ),
)

SHOT = Recipe(
    "virus shot",
    "VIRUS, what all heads share",
    ("setup", "heads", "header", "catalog"),
    (
        RecipeStep("stars", "stars", make_shot_stars, ("setup", "heads"), SolutionParams(), 1.0),
        RecipeStep(
            "solution",
            "pointing",
            make_solution,
            ("setup", "stars", "header", "catalog?"),
            SolutionParams(),
            0.2,
        ),
    ),
)
