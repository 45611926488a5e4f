"""The files of the demo: one flat and one science exposure of a small camera, with a few planted defects."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np

from ifuview.simulate.defects.fibers import gaussian, rows
from ifuview.simulate.defects.plant import PlantedChange, changed
from ifuview.simulate.detector import write
from ifuview.simulate.detector.exposure import expose, flat_flux
from ifuview.simulate.detector.geometry import blocks, slit, true_traces
from ifuview.simulate.detector.perturb import kinked
from ifuview.simulate.detector.spectra import (
    SimulatedExposure,
    expose_rss,
    fiber_map,
    object_level,
    sky_spectrum,
    throughputs,
)

SPEC = "demo"
CAMERA = "r0"
FLAT, SCIENCE = 1, 2  # exposure numbers
DEAD, KINK, BUMP_BLOCK = 37, 61, 2
KINK_HEIGHT, KINK_COLUMN, KINK_WIDTH = 0.8, 600.0, 70.0  # px
BUMP_WAVE, BUMP_SIGMA, BUMP_HEIGHT = 6600.0, 12.0, 40.0  # Angstrom, electron / Angstrom
FLAT_LEVEL = 2500.0  # electron per column
COSMICS = 60
TRUTH_FILE = "truth.json"


def demo(folder: Path | str, seed: int = 7) -> list[Path]:
    """Write the demo files into a folder; return their paths, images first, then fiberflat, psf and truth.

    The psf has a kink of 0.8 px in one trace, one fiber is dead, and the sky model of one block has a bump.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    spec, truth = slit(SPEC), true_traces(SPEC)
    fibers = fiber_map(spec)
    assert truth.wave is not None
    per_column = np.gradient(truth.wave, axis=1)
    light = (sky_spectrum(truth.wave) + object_level(fibers)[:, None]) * throughputs(spec.nfiber)[:, None] * per_column
    lamp = flat_flux(spec, FLAT_LEVEL)
    dead = {DEAD: 0.0}
    flat = expose(spec, flux=lamp, traces=truth, throughput=dead, seed=seed, cosmics=COSMICS // 4)
    science = expose(spec, flux=light, traces=truth, throughput=dead, seed=seed + 1, cosmics=COSMICS)
    products = _with_defects(expose_rss(spec, seed=seed + 2))
    psf = replace(kinked(truth, KINK, KINK_HEIGHT, KINK_COLUMN, KINK_WIDTH), name="psf")
    flat_cards, cards = write.header(CAMERA, FLAT, "flat"), write.header(CAMERA, SCIENCE)
    paths = [
        write.write_preproc(folder / _name("preproc", FLAT), flat, fibers, flat_cards),
        write.write_preproc(folder / _name("preproc", SCIENCE), science, fibers, cards),
    ]
    for rss in (products.frame, products.sframe, products.sky, products.fiberflat):
        paths.append(write.write_rss(folder / _name(rss.stage, SCIENCE), rss, cards))
    for number, card in ((FLAT, flat_cards), (SCIENCE, cards)):
        paths.append(write.write_psf(folder / _name("psf", number), psf, card))
    (folder / TRUTH_FILE).write_text(json.dumps(_truth(), indent=1), encoding="utf-8")
    return [*paths, folder / TRUTH_FILE]


def _with_defects(clean: SimulatedExposure) -> SimulatedExposure:
    """The exposure with a dead fiber and a bump in the sky model of one block."""
    chain = clean.as_chain()
    assert chain.flat is not None
    bump = rows(chain, *_bump_fibers()) * gaussian(chain, BUMP_WAVE, BUMP_SIGMA)
    dark = -rows(chain, DEAD) * clean.truth["light"] / chain.flat
    return clean.with_chain(changed(chain, PlantedChange(light=dark, model=BUMP_HEIGHT * bump)), (DEAD,))


def _bump_fibers() -> list[int]:
    """Fibers of the block with the bump."""
    return [int(f) for f in np.flatnonzero(blocks(SPEC) == BUMP_BLOCK)]


def demo_truth(folder: Path | str) -> dict[str, int]:
    """Return the fibers "dead", "kink" and "bump" (one of the block with the bump) of a demo folder."""
    truth = json.loads((Path(folder) / TRUTH_FILE).read_text(encoding="utf-8"))
    return {name: int(truth[name]["fiber"]) for name in ("dead", "kink", "bump")}


def _name(stage: str, expid: int) -> str:
    return f"{stage}-{CAMERA}-{expid:08d}.fits"


def _truth() -> dict[str, dict[str, float | list[int]]]:
    """What is wrong with the demo files."""
    bump = _bump_fibers()
    return {
        "dead": {"fiber": DEAD},
        "kink": {"fiber": KINK, "height_px": KINK_HEIGHT, "column": KINK_COLUMN, "width_px": KINK_WIDTH},
        "bump": {
            "fiber": bump[len(bump) // 2], "fibers": bump, "wave": BUMP_WAVE, "height": BUMP_HEIGHT,
        },
    }  # fmt: skip
